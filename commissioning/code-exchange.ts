import type { ClaimCode } from "@coalmine/contract/claim-code";
import type { Sha256 } from "@coalmine/contract";
import { claimPaths, CodeRefusal, ExchangeAnswer, WhyAnswer } from "@coalmine/contract/commissioning";
import { claimsDoor } from "./claims-door.ts";
import { CommissioningRefused, type RefusalReason } from "./refusal.ts";

/** The operator's side of commissioning, where a code is shown. */
export interface CodeExchange {
  /** Rejects with a `CommissioningRefused` that says why the code is not taken. */
  exchange(shown: ShownCode): Promise<ExchangeAnswer>;
  /** What the allow-list said, which AWS IoT keeps from the device. */
  why(shown: ShownCode): Promise<WhyAnswer>;
}

export interface ShownCode {
  readonly code: ClaimCode;
  /** Fingerprint of the device's own public key. */
  readonly key: Sha256;
}

const reasons: Readonly<Record<CodeRefusal["reason"], RefusalReason>> = {
  malformed: "code-wrong",
  wrong: "code-wrong",
  expired: "claim-expired",
  used: "code-used",
  "too-many": "too-many-codes",
};

/** The real end, over HTTPS, with no other authority than the device's own root CA. */
export function httpsCodeExchange(...door: Parameters<typeof claimsDoor>): CodeExchange {
  const ask = claimsDoor(...door);
  return {
    exchange: (shown) => ask(claimPaths.exchange, shown, ExchangeAnswer, refuse),
    why: (shown) => ask(claimPaths.why, shown, WhyAnswer, refuse),
  };
}

function refuse(body: unknown): void {
  const refusal = CodeRefusal.safeParse(body);
  if (refusal.success) throw new CommissioningRefused(reasons[refusal.data.reason], refusal.data.message);
}

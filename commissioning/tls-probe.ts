import type { Clock } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { Handshaken } from "@coalmine/site";
import { nodeProbes } from "@coalmine/site/node-probes";
import { machineWire } from "@coalmine/site/wire";
import { hostSaid } from "./network/sentences.ts";
import { CommissioningRefused, type RefusalReason } from "./refusal.ts";
import { en } from "./texts/en.ts";

export interface TlsDoor {
  readonly host: string;
  readonly port: number;
  /** What some servers want before they say anything. */
  readonly certificatePem?: string | undefined;
  readonly privateKeyPem?: string | undefined;
  readonly rootCaPem: string;
  readonly alpn?: string | undefined;
}

/** Shakes hands once and hangs up, to say in a sentence what does not work: network, clock, authority. */
export async function probeTls(door: TlsDoor, clock: Clock): Promise<void> {
  const { host, port, alpn, certificatePem, privateKeyPem, rootCaPem } = door;
  const identity =
    certificatePem === undefined || privateKeyPem === undefined
      ? undefined
      : { certificate: certificatePem, privateKey: privateKeyPem };
  const probes = nodeProbes({ clock, wire: machineWire });
  const result = await probes.handshake({ host, port, alpn, trust: rootCaPem, identity });
  if (result.kind === "trusted") return;
  const { what, todo = "" } = hostSaid(result, en.network);
  throw new CommissioningRefused(
    reasons[result.kind] ?? "unreachable",
    `${host}:${port}: ${what.replace(/\.$/, "")}; ${todo}`,
  );
}

/** What a failed request is refused with: why TLS fails is told by a look at the door alone. */
export async function refusedBy(door: TlsDoor, failure: unknown, clock: Clock): Promise<never> {
  if (failure instanceof CommissioningRefused) throw failure;
  await probeTls(door, clock);
  throw new CommissioningRefused(
    "unreachable",
    `${door.host}:${door.port} breaks off (${messageOf(failure)}); run this again, and ask whether something on the way ends HTTPS`,
    { cause: failure },
  );
}

const reasons: Readonly<Partial<Record<Handshaken["kind"], RefusalReason>>> = {
  "not-yet-valid": "clock-off",
  expired: "clock-off",
  intercepted: "wrong-authority",
  "wrong-name": "wrong-authority",
};

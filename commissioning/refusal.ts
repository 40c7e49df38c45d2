import { CoalmineError, messageOf } from "@coalmine/runtime";

/** Why commissioning stopped: each has another remedy, and another person who can apply it. */
export const refusalReasons = [
  "settings",
  "answers",
  "clock-not-set",
  "clock-off",
  "network",
  "certificate",
  "claim-refused",
  "claim-expired",
  "code-wrong",
  "code-used",
  "too-many-codes",
  "not-allowed",
  "unreachable",
  "wrong-authority",
  "file-modes",
  "no-serial-port",
  "silent-instrument",
  "unhealthy-instrument",
  "nucleus",
  "port-taken",
  "disk-full",
] as const;
export type RefusalReason = (typeof refusalReasons)[number];

/** Commissioning stopped, for a reason that a person on site can act on. Running it again goes on from there. */
export class CommissioningRefused extends CoalmineError {
  readonly code = "ERR_COMMISSIONING";
  readonly reason: RefusalReason;
  /** For whoever sees the reason already. */
  readonly sentence: string;
  constructor(reason: RefusalReason, sentence: string, options?: ErrorOptions) {
    super(`ERR_COMMISSIONING: ${reason}: ${sentence}`, options);
    this.reason = reason;
    this.sentence = sentence;
  }
}

/** Anything thrown while files are written, as a refusal where a person can mend it. */
export function diskRefusal(thrown: unknown, folder: string): unknown {
  if (!(thrown instanceof Error) || !("code" in thrown)) return thrown;
  if (thrown.code === "ENOSPC" || thrown.code === "EDQUOT")
    return new CommissioningRefused(
      "disk-full",
      `there is no room below ${folder} (${messageOf(thrown)}); free some space and run this again: what was done is kept`,
      { cause: thrown },
    );
  if (thrown.code === "EACCES" || thrown.code === "EPERM" || thrown.code === "EROFS")
    return new CommissioningRefused(
      "file-modes",
      `no right to write below ${folder} (${messageOf(thrown)}); run this as the user that the core device runs as`,
      { cause: thrown },
    );
  return thrown;
}

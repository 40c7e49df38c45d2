import { CoalmineError } from "@coalmine/runtime";

export type SupplyErrorCode =
  /** A key that others can read, that is of another kind, or that is none. */
  | "ERR_SUPPLY_KEY"
  /** Nothing signed is there for a component version. */
  | "ERR_SUPPLY_UNSIGNED"
  /** Signed, but by nobody who is trusted, or the signature is of other bytes. */
  | "ERR_SUPPLY_SIGNATURE"
  /** A statement that is none, or of another component or version, or of an older one than runs. */
  | "ERR_SUPPLY_STATEMENT"
  /** An artifact, recipe or bill of materials that is not the one that was signed. */
  | "ERR_SUPPLY_DIGEST";

/** Why a component version is not taken for what its maker signed. */
export class SupplyError extends CoalmineError {
  readonly code: SupplyErrorCode;

  constructor(code: SupplyErrorCode, sentence: string, options?: ErrorOptions) {
    super(sentence, options);
    this.code = code;
  }
}

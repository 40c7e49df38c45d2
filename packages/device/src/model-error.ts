import type { ModelError } from "@coalmine/ports";

/** A model that cannot be opened or run. */
export class ModelFailure extends Error implements ModelError {
  override readonly name = "ModelError";
  readonly code: ModelError["code"];
  constructor(code: ModelError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

import type { LinkError } from "@coalmine/ports";

/** A link that could not be opened. */
export class LinkFailure extends Error implements LinkError {
  override readonly name = "LinkError";
  readonly code: LinkError["code"];
  constructor(code: LinkError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

import { CoalmineError } from "@coalmine/runtime";

/** Why something was not published: nothing half-done is left that a repeat would trip over. */
export class PublishError extends CoalmineError {
  readonly code:
    | "ERR_PUBLISH_UNRELEASED"
    | "ERR_PUBLISH_CHANGED"
    | "ERR_PUBLISH_REFUSED"
    | "ERR_PUBLISH_TIMEOUT";
  constructor(code: PublishError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

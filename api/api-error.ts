import { CoalmineError } from "@coalmine/runtime";

/** Why a wish was not granted: what, with which state, and what to do next. */
export class ApiError extends CoalmineError {
  readonly code:
    | "ERR_API_NOT_FOUND"
    | "ERR_API_CONFLICT"
    | "ERR_API_INPUT"
    | "ERR_API_NO_EVIDENCE"
    | "ERR_API_SIGN_IN";
  constructor(code: ApiError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

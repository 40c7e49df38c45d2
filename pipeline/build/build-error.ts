import { CoalmineError } from "@coalmine/runtime";

export type BuildErrorCode =
  /** A component, model or recipe that is not as the build needs it. */
  | "ERR_BUILD_SOURCE"
  /** Something under a licence that may not be in an artifact, or whose text is not there. */
  | "ERR_BUILD_LICENCE"
  /** A bundle that needs more than its ports. */
  | "ERR_BUNDLE_NOT_PORTABLE"
  /** Bytes that differ from what was released under the same version, or a version that was not released. */
  | "ERR_NOT_RELEASED"
  /** A downloaded Node that is not the lockfile's. */
  | "ERR_NODE_INTEGRITY";

/** A build that cannot be trusted or made. */
export class BuildError extends CoalmineError {
  readonly code: BuildErrorCode;

  constructor(code: BuildErrorCode, sentence: string, options?: ErrorOptions) {
    super(`${code}: ${sentence}.`, options);
    this.code = code;
  }
}

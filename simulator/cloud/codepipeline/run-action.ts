/** Runs the commands of a work action somewhere that has the revision's sources. */
export interface RunAction {
  (request: ActionRequest): Promise<ActionOutcome>;
}

export interface ActionRequest {
  readonly pipeline: string;
  readonly executionId: string;
  readonly stage: string;
  readonly action: string;
  readonly revisionId: string;
  readonly commands: readonly string[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** `summary` is the last line that the commands wrote for a person, or why they could not run. */
export type ActionOutcome =
  | { readonly kind: "succeeded"; readonly summary: string }
  | { readonly kind: "failed"; readonly summary: string };

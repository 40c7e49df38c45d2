/** What one check of a device found. What could not be looked at is said, and is never taken for good. */
export type Finding = {
  readonly check: string;
  /** With the values that were seen. */
  readonly sentence: string;
} & (
  | { readonly state: "ok" }
  | {
      readonly state: "failed";
      readonly kind: "permission" | "unreachable" | "other";
      readonly remedy: string;
    }
  | { readonly state: "not checked"; readonly remedy: string }
);

export const ok = (check: string, sentence: string): Finding => ({ check, state: "ok", sentence });

export const failed = (
  check: string,
  kind: "permission" | "unreachable" | "other",
  sentence: string,
  remedy: string,
): Finding => ({ check, state: "failed", kind, sentence, remedy });

export const notChecked = (check: string, sentence: string, remedy: string): Finding => ({
  check,
  state: "not checked",
  sentence,
  remedy,
});

import type { Bundle } from "./bundle.ts";
import { digestOf, type BundleDigest } from "./digest.ts";
import { judge } from "./judge.ts";
import type { Verdict } from "./verdict.ts";

/** A verdict with what it was made of: what `coalmine judge run --json` prints. */
export interface Judgement {
  readonly bundle: BundleDigest;
  readonly verdict: Verdict;
}

export function judgementOf(bundle: Bundle): Judgement {
  return { bundle: digestOf(bundle), verdict: judge(bundle) };
}

import * as z from "zod";
import type { Bundle } from "./bundle.ts";
import { BundleDigest, digestOf } from "./digest.ts";
import { judge } from "./judge.ts";
import type { Verdict } from "./verdict.ts";

/** A verdict with what it was made of: what `coalmine judge run --json` prints, and `judge verify` takes. */
export interface Judgement {
  readonly bundle: BundleDigest;
  readonly verdict: Verdict;
}

export function judgementOf(bundle: Bundle): Judgement {
  return { bundle: digestOf(bundle), verdict: judge(bundle) };
}

/** A judgement as somebody hands it in: what it says is yet to be found true. */
export const ToldJudgement = z.strictObject({
  bundle: BundleDigest,
  verdict: z.record(z.string(), z.json()),
});
export type ToldJudgement = z.infer<typeof ToldJudgement>;

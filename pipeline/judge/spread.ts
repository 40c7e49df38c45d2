import { atRank } from "./at-rank.ts";
import { normalQuantile } from "./exact-math.ts";

/** At larger shares the tail is the body, and says nothing of extremes. */
const TAIL_SHARE_MAX = 0.05;

/** The far end of a statistic's values: the share that lies past it, and where a standard normal one would have it. */
export interface Tail {
  readonly share: number;
  readonly quantile: number;
}

/** The part in which draws are retired. */
export function tailOf(alpha: number): Tail {
  const share = Math.min(alpha, TAIL_SHARE_MAX);
  return { share, quantile: normalQuantile(1 - share) };
}

/**
 * The standard deviation of a statistic over the draws; where its tail reaches further, that of the normal distribution
 * whose tail reaches as far. Few silent devices give most draws nothing and some a great deal: by its deviation alone
 * such a metric would hold all extremes, and hide the others'.
 */
export function spreadOf(statistic: Float64Array, { share, quantile }: Tail, scratch: Float64Array): number {
  const count = statistic.length;
  let sum = 0;
  let squares = 0;
  for (let index = 0; index < count; index++) {
    const value = statistic[index] ?? 0;
    sum += value;
    squares += value * value;
  }
  const mean = sum / count;
  const deviation = Math.sqrt(Math.max(0, squares / count - mean * mean));
  scratch.set(statistic);
  const end = atRank(scratch, count - 1 - Math.floor(share * count));
  return Math.max(deviation, end / quantile);
}

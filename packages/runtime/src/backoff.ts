import type { Random } from "@coalmine/ports";

export interface BackoffLimits {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * Full jitter: the n-th wait is uniform in [0, min(maxMs, firstMs · 2ⁿ)].
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function* fullJitter(limits: BackoffLimits, random: Random): Generator<number, never> {
  let ceilingMs = limits.firstMs;
  for (;;) {
    yield random.next() * ceilingMs;
    ceilingMs = Math.min(limits.maxMs, ceilingMs * 2);
  }
}

import { logPossibleDraws } from "./arrangement.ts";
import { exp, normalCdf, normalQuantile } from "./exact-math.ts";

/** Re-draws of a small canary that share some of its devices share some of what the release does to them. */
export interface Overlaps {
  readonly devices: number;
  /** How likely each overlap is, and what of the effect then shows in a re-draw's difference. */
  readonly kinds: readonly { readonly chance: number; readonly share: number }[];
}

/** Overlaps that are rarer than this are left out. */
const CHANCE_MIN = 1e-7;

export function overlaps(canary: number, baseline: number): Overlaps {
  const all = logPossibleDraws([canary + baseline], [canary]);
  const kinds = Array.from({ length: canary + 1 }, (_, shared) => ({
    // As many of the canary, and the others of the baseline.
    chance:
      canary - shared > baseline
        ? 0
        : exp(logPossibleDraws([canary], [shared]) + logPossibleDraws([baseline], [canary - shared]) - all),
    share: shared / canary - (canary - shared) / baseline,
  }));
  return { devices: canary + baseline, kinds: kinds.filter(({ chance }) => chance >= CHANCE_MIN) };
}

/**
 * The studentised statistic that this part of the re-draws exceeds, where the release moves the real canary's by
 * `moved` standard errors. Without an effect it is the quantile of Student's t.
 */
export function criticalValue({ devices, kinds }: Overlaps, moved: number, part: number): number {
  const freedom = Math.max(1, devices - 2);
  const exceeding = (value: number): number => {
    let sum = 0;
    for (const { chance, share } of kinds) {
      // What of the effect is not in the difference is in the spread.
      const spread = Math.sqrt(1 + (moved * moved * (1 - share * share)) / freedom);
      sum += chance * (1 - normalCdf(value * spread - moved * share));
    }
    return sum;
  };
  let low = normalQuantile(1 - part) - 1;
  let high = low + 2 + Math.abs(moved);
  for (let step = 0; step < 30; step++) {
    const middle = (low + high) / 2;
    if (exceeding(middle) > part) low = middle;
    else high = middle;
  }
  // The spread is estimated from so many devices: Student's t, by the first term of its expansion about the normal.
  return low + (low * low * low + low) / (4 * freedom);
}

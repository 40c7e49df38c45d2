import type { Arrangement } from "./arrangement.ts";
import type { Comparison } from "./comparison.ts";
import { lowerP, residuals, studentise, upperP } from "./statistic.ts";

/** Bounds of the difference on the log scale, more is worse; an end that the draws cannot reach is undefined. */
export interface EffectInterval {
  readonly low: number | undefined;
  readonly high: number | undefined;
}

/** Each end is missed by the truth at most this often. */
const TAIL = 0.025;
/** Halvings of twelve standard errors: the ends are then exact to a thousandth of one. */
const STEPS = 14;

/** All differences that the draws do not contradict, found by halving. */
export function effectInterval(comparison: Comparison, arrangement: Arrangement): EffectInterval | undefined {
  const { scale, outcome } = comparison;
  if (scale === undefined) return undefined;
  const e = new Float64Array(arrangement.unitCount);
  const statistic = new Float64Array(arrangement.drawCount);
  const contradicts = (shift: number, tail: (statistic: Float64Array) => number): boolean => {
    residuals(outcome, arrangement, shift, e);
    return studentise(e, arrangement, statistic) !== undefined && tail(statistic) <= TAIL;
  };
  const reach = 12 * (scale.sd / Math.sqrt(scale.weight)) + 1e-6;
  const end = (side: -1 | 1): number | undefined => {
    const tail = side < 0 ? upperP : lowerP;
    let inside = 0;
    let outside = reach;
    if (!contradicts(scale.difference + side * outside, tail)) return undefined;
    for (let step = 0; step < STEPS; step++) {
      const middle = (inside + outside) / 2;
      if (contradicts(scale.difference + side * middle, tail)) outside = middle;
      else inside = middle;
    }
    return scale.difference + side * outside;
  };
  return { low: end(-1), high: end(1) };
}

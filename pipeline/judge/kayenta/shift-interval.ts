import { normalQuantile } from "../exact-math.ts";
import { rootBetween } from "./root.ts";

/** By how much one sample lies above another (Hodges and Lehmann 1963), and what a rank test does not reject. */
export interface ShiftInterval {
  readonly low: number;
  readonly high: number;
  readonly estimate: number;
}

/** Absolute, in the metric's own unit: of a metric below it, rounding decides. */
const TOLERANCE = 1e-4;

/**
 * The Mann-Whitney interval of the shift of `experiment` over `control`, with normal quantiles and continuity
 * correction: what R's `wilcox.test(conf.int = TRUE, exact = FALSE)` gives. Where the samples are too small for the
 * quantile, an end is the end of all shifts that there can be.
 * @throws where values are not finite, or all tied at some shift.
 */
export function shiftInterval(
  experiment: readonly number[],
  control: readonly number[],
  confidence: number,
): ShiftInterval {
  const x = Float64Array.from(experiment).sort();
  const y = Float64Array.from(control).sort();
  const from = (x[0] ?? Number.NaN) - (y.at(-1) ?? Number.NaN);
  const to = (x.at(-1) ?? Number.NaN) - (y[0] ?? Number.NaN);
  if (!Number.isFinite(to - from)) throw new RangeError("values that are not finite have no shift");
  const z = normalQuantile(1 - (1 - confidence) / 2);
  const root = (quantile: number, ends: boolean): number => {
    const f = (shift: number) => rankDifference(x, y, shift) - quantile;
    const atFrom = f(from);
    const atTo = f(to);
    if (ends && atFrom <= 0) return from;
    if (ends && atTo >= 0) return to;
    if (atTo === 0) return to;
    return rootBetween(f, { at: from, value: atFrom }, { at: to, value: atTo }, TOLERANCE);
  };
  return { low: root(z, true), high: root(-z, true), estimate: root(0, false) };
}

/**
 * How far the rank sum of `x` less `shift` is from what chance expects, in standard errors. Both are sorted.
 * @throws where all values are alike, so that there is no standard error.
 */
export function rankDifference(x: Float64Array, y: Float64Array, shift: number): number {
  const n = x.length;
  const m = y.length;
  let rankSum = 0;
  let ties = 0;
  let i = 0;
  let j = 0;
  while (i < n || j < m) {
    const value = Math.min(i < n ? (x[i] ?? 0) - shift : Infinity, j < m ? (y[j] ?? 0) : Infinity);
    const before = i + j;
    const own = i;
    while (i < n && (x[i] ?? 0) - shift === value) i++;
    while (j < m && (y[j] ?? 0) === value) j++;
    const tied = i + j - before;
    // Of equal values each gets the mean of their ranks.
    rankSum += (i - own) * (before + (tied + 1) / 2);
    ties += tied * tied * tied - tied;
  }
  const difference = rankSum - (n * (n + 1)) / 2 - (n * m) / 2;
  const variance = ((n * m) / 12) * (n + m + 1 - ties / ((n + m) * (n + m - 1)));
  if (!(variance > 0)) throw new RangeError("all values are tied, so ranks say nothing");
  return (difference - 0.5 * Math.sign(difference)) / Math.sqrt(variance);
}

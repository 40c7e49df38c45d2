import type { Metric, Pair } from "./bundle.ts";
import { log } from "./exact-math.ts";

/** What one metric says of each device, on the log scale and turned so that more is worse; NaN where nothing is known. */
export interface Outcome {
  readonly now: Float64Array;
  readonly before: Float64Array;
}

/** Prior weight of the pre-period: a device with little history is drawn towards the fleet's. */
const PRIOR_BEFORE = 4;
/** Half an event, so that none is a number. */
const PRIOR_NOW = 0.5;

/** Silence of this share matters to nobody, unless the metric says otherwise. */
export const SILENCE_NEGLIGIBLE = 0.05;

export function negligibleOf(metric: Metric): number {
  return metric.kind === "liveness" && metric.negligible === 0 ? SILENCE_NEGLIGIBLE : metric.negligible;
}

/** A pair that can be used: finite, not negative, with something in its denominator. Liveness becomes silence. */
export function usable(metric: Metric, pair: Pair | undefined): readonly [number, number] | undefined {
  if (pair === null || pair === undefined) return undefined;
  const [numerator, denominator] = pair;
  if (!Number.isFinite(numerator) || !Number.isFinite(denominator)) return undefined;
  if (numerator < 0 || denominator <= 0) return undefined;
  return metric.kind === "liveness"
    ? [Math.max(0, denominator - numerator), denominator]
    : [numerator, denominator];
}

/** Outcomes of all devices. Which arm a device is in plays no part: that keeps the test exact. */
export function outcomeOf(metric: Metric, now: readonly (Pair | undefined)[], before: Past): Outcome {
  // Means are drawn towards the fleet's mean; where it has no past, towards the present one of all devices.
  const centre = before.mean > 0 ? before.mean : pooled(metric, now);
  return {
    now: logarithms(metric, now, before.levels.length, (pair, floor) =>
      level(metric, pair, PRIOR_NOW, centre, floor),
    ),
    before: before.levels,
  };
}

/** What is known of the time before, the same at every look. */
export interface Past {
  readonly levels: Float64Array;
  readonly mean: number;
}

export function pastOf(metric: Metric, before: readonly (Pair | undefined)[], deviceCount: number): Past {
  const mean = pooled(metric, before);
  const known = mean > 0 ? before : [];
  return {
    mean,
    levels: logarithms(metric, known, deviceCount, (pair, floor) => historyOf(metric, pair, mean, floor)),
  };
}

/** One number a device, turned so that more is worse. */
function logarithms(
  metric: Metric,
  pairs: readonly (Pair | undefined)[],
  deviceCount: number,
  of: (pair: readonly [number, number], floor: number) => number,
): Float64Array {
  const floor = negligibleOf(metric);
  const sign = metric.direction === "down" && metric.kind !== "liveness" ? -1 : 1;
  const out = new Float64Array(deviceCount).fill(Number.NaN);
  for (let device = 0; device < deviceCount; device++) {
    const pair = usable(metric, pairs[device]);
    if (pair !== undefined) out[device] = sign * of(pair, floor);
  }
  return out;
}

function level(
  metric: Metric,
  [numerator, denominator]: readonly [number, number],
  prior: number,
  centre: number,
  floor: number,
): number {
  if (metric.kind === "mean")
    return finite(log((numerator + prior * centre) / (denominator + prior) + floor));
  // Of a share of time there is no half event: its floor does that.
  if (metric.kind === "liveness") return finite(log(numerator / denominator + floor));
  return finite(log((numerator + prior) / (denominator + 1) + floor));
}

function historyOf(
  metric: Metric,
  [numerator, denominator]: readonly [number, number],
  past: number,
  floor: number,
): number {
  if (metric.kind === "liveness") return finite(log(numerator / denominator + floor));
  const weight = metric.kind === "mean" ? PRIOR_BEFORE : PRIOR_BEFORE / past;
  return finite(log((numerator + weight * past) / (denominator + weight) + floor));
}

/** Sum of numerators over sum of denominators; 0 where there is nothing. */
export function pooled(metric: Metric, pairs: readonly (Pair | undefined)[]): number {
  let numerators = 0;
  let denominators = 0;
  for (const pair of pairs) {
    const fit = usable(metric, pair);
    if (fit === undefined) continue;
    numerators += fit[0];
    denominators += fit[1];
  }
  return denominators > 0 ? numerators / denominators : 0;
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : Number.NaN;
}

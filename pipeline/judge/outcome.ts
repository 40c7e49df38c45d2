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
export function outcomeOf(
  metric: Metric,
  now: readonly (Pair | undefined)[],
  before: readonly (Pair | undefined)[],
  deviceCount: number,
): Outcome {
  const floor = negligibleOf(metric);
  const sign = metric.direction === "down" && metric.kind !== "liveness" ? -1 : 1;
  const past = pooled(metric, before);
  // Means are drawn towards the fleet's mean; where it has no past, towards the present one of all devices.
  const centre = past > 0 ? past : pooled(metric, now);
  const out = {
    now: new Float64Array(deviceCount).fill(Number.NaN),
    before: new Float64Array(deviceCount).fill(Number.NaN),
  };
  for (let device = 0; device < deviceCount; device++) {
    const present = usable(metric, now[device]);
    if (present !== undefined) out.now[device] = sign * level(metric, present, PRIOR_NOW, centre, floor);
    const history = usable(metric, before[device]);
    if (history !== undefined && past > 0)
      out.before[device] = sign * historyOf(metric, history, past, floor);
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

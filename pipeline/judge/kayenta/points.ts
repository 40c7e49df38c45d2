import type { Look, Metric } from "../bundle.ts";
import { usable } from "../outcome.ts";

/**
 * The time series that Kayenta's judge would be given of one arm: a point a look, which is what the arm's devices added
 * since the look before, taken together, in the metric's own unit (of liveness, the share that was not heard). NaN where
 * they added nothing. `isInArm` is in the order of the devices.
 */
export function pointsOf(
  metric: Metric,
  looks: readonly Look[],
  isInArm: readonly boolean[],
): readonly number[] {
  const known = isInArm.map((): readonly [number, number] => [0, 0]);
  return looks.map(({ values }) => {
    let numerators = 0;
    let denominators = 0;
    for (const [device, isIn] of isInArm.entries()) {
      const pair = usable(metric, values[metric.name]?.[device]);
      const before = known[device];
      if (!isIn || pair === undefined || before === undefined) continue;
      numerators += pair[0] - before[0];
      denominators += pair[1] - before[1];
      known[device] = pair;
    }
    const point = numerators / denominators;
    return denominators > 0 && Number.isFinite(point) ? point : Number.NaN;
  });
}

/** Correlation of a series with itself one point later; undefined of a constant, or of fewer than three points. */
export function lagOneAutocorrelation(points: readonly number[]): number | undefined {
  const known = points.filter((point) => !Number.isNaN(point));
  if (known.length < 3) return undefined;
  const mean = known.reduce((sum, point) => sum + point, 0) / known.length;
  let squares = 0;
  let products = 0;
  let last: number | undefined;
  for (const point of known) {
    const rest = point - mean;
    squares += rest * rest;
    products += rest * (last ?? 0);
    last = rest;
  }
  const correlation = products / squares;
  return Number.isFinite(correlation) ? correlation : undefined;
}

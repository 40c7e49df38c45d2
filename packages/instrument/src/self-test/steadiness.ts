import type { Steadiness } from "@coalmine/contract";

/** One reading: minutes since the first, and the value. */
export type Timed = readonly [minutes: number, value: number];
export type SteadinessLimits = NonNullable<Steadiness["limits"]>;

/** Upper 1 % of the normal distribution, one side. */
const Z_99 = 2.326348;
/** And for both sides of an interval. */
const Z_995 = 2.575829;

/**
 * Mean, noise and drift of readings, by least squares, with their intervals. Of fewer than three nothing can be said of
 * noise and drift: they are 0, with intervals of 0.
 */
export function steadiness(readings: readonly Timed[], unit: string, limits?: SteadinessLimits): Steadiness {
  const n = readings.length;
  const meanOf = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, n);
  const meanX = meanOf(readings.map(([x]) => x));
  const mean = meanOf(readings.map(([, y]) => y));
  const sxx = readings.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const sxy = readings.reduce((sum, [x, y]) => sum + (x - meanX) * (y - mean), 0);
  const slope = sxx === 0 ? 0 : sxy / sxx;
  const squares = readings.reduce((sum, [x, y]) => sum + (y - mean - slope * (x - meanX)) ** 2, 0);
  const noise = n < 3 ? 0 : Math.sqrt(squares / (n - 2));
  const t = n < 3 ? 0 : studentQuantile(Z_995, n - 2);
  return {
    unit,
    readings: n,
    mean,
    meanHalfWidth: (t * noise) / Math.sqrt(Math.max(1, n)),
    noise,
    driftPerMinute: slope,
    driftHalfWidth: sxx === 0 ? 0 : (t * noise) / Math.sqrt(sxx),
    ...(limits === undefined ? {} : { limits }),
  };
}

/**
 * Which limits are passed beyond doubt: an instrument that lies exactly at a limit is complained of in at most 1 of 100
 * tests by each of the three. Of one that is too noisy no drift is told: it may be the noise.
 */
export function beyondLimits(found: Steadiness): readonly ("noise" | "drift" | "offset")[] {
  const { limits, readings } = found;
  if (limits === undefined || readings < 3) return [];
  const freedom = readings - 2;
  const noise = found.noise * Math.sqrt(freedom / chiSquareQuantile(Z_99, freedom)) > limits.noise;
  const over = {
    noise,
    drift: !noise && Math.abs(found.driftPerMinute) - found.driftHalfWidth > limits.driftPerMinute,
    offset: Math.abs(found.mean) - found.meanHalfWidth > limits.offset,
  };
  return (["noise", "drift", "offset"] as const).filter((which) => over[which]);
}

/** Student's t by its expansion about the normal quantile `z`; within 1 % from 5 degrees of freedom on. @see Abramowitz and Stegun 26.7.5 */
function studentQuantile(z: number, freedom: number): number {
  return (
    z +
    (z ** 3 + z) / (4 * freedom) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * freedom ** 3)
  );
}

/** Wilson and Hilferty's approximation; within 1 % from 3 degrees of freedom on. @see Abramowitz and Stegun 26.4.17 */
function chiSquareQuantile(z: number, freedom: number): number {
  const share = 2 / (9 * freedom);
  return freedom * (1 - share + z * Math.sqrt(share)) ** 3;
}

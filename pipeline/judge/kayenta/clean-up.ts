/** What becomes of a point that is not a number. */
export type NanStrategy = "remove" | "replaceByZero";

export function cleaned(points: readonly number[], nan: NanStrategy): readonly number[] {
  return nan === "remove"
    ? points.filter((point) => !Number.isNaN(point))
    : points.map((point) => (Number.isNaN(point) ? 0 : point));
}

/** The percentile (0 to 100) of sorted values by linear interpolation, R's type 7. */
export function percentile(sorted: readonly number[], percent: number): number {
  const at = (percent / 100) * (sorted.length - 1);
  const below = Math.floor(at);
  const low = sorted[below] ?? Number.NaN;
  return low + (at - below) * ((sorted[below + 1] ?? low) - low);
}

/**
 * Values within `factor` interquartile ranges of the quartiles. Where `guarded`, the fences reach at least to the first
 * and the ninety-ninth percentile, so that few are lost of what is spread widely.
 */
export function withoutOutliers(
  points: readonly number[],
  factor: number,
  guarded: boolean,
): readonly number[] {
  const sorted = points.toSorted((a, b) => a - b);
  const at = (percent: number) => percentile(sorted, percent);
  const reach = factor * (at(75) - at(25));
  const low = Math.min(guarded ? at(1) : Infinity, at(25) - reach);
  const high = Math.max(guarded ? at(99) : -Infinity, at(75) + reach);
  return points.filter((point) => point >= low && point <= high);
}

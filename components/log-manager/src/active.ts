/** What tells which file of several is being written. */
export interface Dated {
  readonly names: readonly string[];
  readonly modifiedMs: number;
}

/**
 * The files that may be written to at any time: the newest by its time, and the one with the plainest name. Rotated
 * files have a suffix.
 */
export function activeOf<File extends Dated>(files: readonly File[]): ReadonlySet<File> {
  // Most logs are one file, and this is asked at every look.
  if (files.length === 1) return new Set(files);
  const newestMs = Math.max(...files.map(({ modifiedMs }) => modifiedMs));
  const newest = files.filter(({ modifiedMs }) => modifiedMs === newestMs);
  // Of those written in the same millisecond it is the one without a rotation's suffix.
  const plainestOfNewest = Math.min(...newest.map(longestName));
  const shortest = Math.min(...files.map(longestName));
  const plainest = files.filter((file) => longestName(file) === shortest);
  return new Set([
    ...newest.filter((file) => longestName(file) === plainestOfNewest),
    ...(plainest.length === 1 ? plainest : []),
  ]);
}

export function longestName({ names }: Pick<Dated, "names">): number {
  return Math.max(0, ...names.map((name) => name.length));
}

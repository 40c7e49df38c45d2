import semver from "semver";

/** Version ranges by npm's rules; `""` and `*` match every release. A prerelease needs one of its own numbers named. */
export function isRange(range: string): boolean {
  return semver.validRange(range) !== null;
}

/** False also where `version` or `range` is not one. */
export function satisfies(version: string, range: string): boolean {
  return semver.satisfies(version, range);
}

/** The highest of `versions` that satisfies `range` (or each of several ranges). */
export function maxSatisfying(
  versions: Iterable<string>,
  range: string | readonly string[],
): string | undefined {
  const ranges = typeof range === "string" ? [range] : range;
  return [...versions]
    .filter((version) => ranges.every((each) => satisfies(version, each)))
    .sort(compareVersions)
    .at(-1);
}

/** By precedence; versions that differ in build metadata alone are told apart by it, so that the order is total. */
export function compareVersions(a: string, b: string): number {
  return semver.compareBuild(a, b);
}

import type { VersionHealth } from "../evidence/health.ts";
import type { Release } from "../release/release-folder.ts";
import type { ScenarioCourse } from "./report.ts";

/** What devices observed in the mean, of the candidate beside what runs now: of one version there is nothing to compare. */
export function comparedReleases(
  versions: readonly VersionHealth[],
  running: Release | undefined,
  candidate: Release,
): ScenarioCourse["compared"] {
  const meansOf = (release: Release | undefined, component: string) => {
    const version = release?.components.find((one) => one.component === component)?.version;
    return versions.find((one) => one.component === component && one.version === version)?.means ?? {};
  };
  const changed = candidate.components.filter(
    ({ component, version }) =>
      !running?.components.some((one) => one.component === component && one.version === version),
  );
  return changed.flatMap(({ component }) => {
    const [before, after] = [meansOf(running, component), meansOf(candidate, component)];
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].sort().map((observed) => ({
      component,
      observed,
      ...(before[observed] === undefined ? {} : { running: before[observed] }),
      ...(after[observed] === undefined ? {} : { candidate: after[observed] }),
    }));
  });
}

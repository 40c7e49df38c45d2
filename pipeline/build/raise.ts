import semver from "semver";
import { compareVersions } from "@coalmine/recipe";
import { BuildError } from "./build-error.ts";
import { differences, entryOf, highest, type ReleasedVersion } from "./released.ts";

/** What `npm run bump` does about one component. */
export type Raise =
  | { readonly kind: "unchanged" }
  /** Its version, raised by hand or new, goes into the list as it is. */
  | { readonly kind: "append" }
  /** Its bytes differ from what its version was released as: it gets the next one. */
  | { readonly kind: "raise"; readonly to: string; readonly because: readonly string[] };

/** Pure. `built` is the component in the version that its source names. */
export function raise(released: readonly ReleasedVersion[], built: ReleasedVersion): Raise {
  const { component, version } = built;
  const entry = entryOf(released, component, version);
  const last = highest(released, component);
  if (entry !== undefined) {
    const because = differences(entry, built);
    if (because.length === 0) return { kind: "unchanged" };
    return { kind: "raise", to: nextPatch(last ?? version), because };
  }
  if (last !== undefined && compareVersions(version, last) < 0)
    throw new BuildError(
      "ERR_NOT_RELEASED",
      `${component} is at ${version}, below ${last}, which was released; take its version from main, and run npm run bump again`,
    );
  return { kind: "append" };
}

function nextPatch(version: string): string {
  const next = semver.inc(version, "patch");
  if (next === null || semver.patch(next) > 999_999)
    throw new BuildError("ERR_BUILD_SOURCE", `${version} has no next patch; raise its minor number by hand`);
  return next;
}

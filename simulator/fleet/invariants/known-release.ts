import type { Check } from "../evidence/checks.ts";
import { lacking } from "../release/deploy.ts";
import type { Release } from "../release/release-folder.ts";
import type { ReleaseRegion } from "../release/release-region.ts";

const TOLD_MAX = 3;

/** Every device runs all of one release, by the cloud's own knowledge: none is half of one and half of another. */
export async function knownReleaseCheck({
  region,
  releases,
}: {
  readonly region: Pick<ReleaseRegion, "cloud" | "devices">;
  readonly releases: readonly Release[];
}): Promise<Check> {
  const lost: string[] = [];
  for (const { thingName } of region.devices) {
    const all = await Promise.all(releases.map((release) => lacking(region, release, thingName)));
    // Of the release that it is nearest to.
    const [nearest = ["there is no release"]] = all.toSorted((one, other) => one.length - other.length);
    if (nearest.length > 0) lost.push(`${thingName} (${nearest.join(", ")})`);
  }
  return {
    name: "every device ends in a known release",
    ok: lost.length === 0,
    found:
      lost.length === 0
        ? `all ${region.devices.length}`
        : `${lost.length} do not: ${lost.slice(0, TOLD_MAX).join("; ")}`,
  };
}

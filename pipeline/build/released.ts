import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ComponentName, ComponentVersion, Sha256 } from "@coalmine/contract";
import { compareVersions } from "@coalmine/recipe";
import * as z from "zod";
import { BuildError } from "./build-error.ts";
import { platforms } from "./platform.ts";

/** What one version is, for ever: the digest of its recipe (without URIs) and of each platform's artifact. */
export const ReleasedVersion = z.object({
  component: ComponentName,
  version: ComponentVersion,
  recipe: Sha256,
  artifacts: z.partialRecord(z.enum([...platforms, "any"]), Sha256),
});
export type ReleasedVersion = z.infer<typeof ReleasedVersion>;

export const RELEASED_FILE = "recipes/released.json";

/** The list, oldest first. It only ever grows, and only `npm run bump` writes it. */
export function readReleased(root: string): ReleasedVersion[] {
  const text = readFileSync(join(root, RELEASED_FILE), "utf8");
  const advice = "keep the lines of main, drop your own, and run npm run bump again";
  if (/^(<{7}|={7}|>{7})/m.test(text))
    throw new BuildError("ERR_NOT_RELEASED", `${RELEASED_FILE} has conflict marks; ${advice}`);
  let released: ReleasedVersion[];
  try {
    released = z.array(ReleasedVersion).parse(JSON.parse(text));
  } catch (failure) {
    throw new BuildError(
      "ERR_NOT_RELEASED",
      `${RELEASED_FILE} is not readable; take it from main, and run npm run bump again`,
      {
        cause: failure,
      },
    );
  }
  const names = released.map(({ component, version }) => `${component} ${version}`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new BuildError(
      "ERR_NOT_RELEASED",
      `${RELEASED_FILE} has ${twice} twice, as when two branches took the same number; ${advice}`,
    );
  return released;
}

/** One version a line, so that two branches that append conflict, and a reader sees what a commit releases. */
export function releasedText(released: readonly ReleasedVersion[]): string {
  return released.length === 0
    ? "[]\n"
    : `[\n${released.map((entry) => `  ${JSON.stringify(entry)}`).join(",\n")}\n]\n`;
}

/** What of `built` is not as it was released under its version: "recipe", "artifact for linux-x64". */
export function differences(released: ReleasedVersion, built: ReleasedVersion): string[] {
  return [
    ...(released.recipe === built.recipe ? [] : ["recipe"]),
    ...Object.entries(built.artifacts)
      .filter(([platform, digest]) => new Map(Object.entries(released.artifacts)).get(platform) !== digest)
      .map(([platform]) => `artifact for ${platform}`),
  ];
}

/** Refuses bytes that differ from what their version was released as, and versions that were not. */
export function checkReleased(released: readonly ReleasedVersion[], built: readonly ReleasedVersion[]): void {
  const faults = built.flatMap((each) => {
    const entry = entryOf(released, each.component, each.version);
    if (entry === undefined) return [`${each.component} ${each.version} is not in the list`];
    const changed = differences(entry, each);
    return changed.length === 0
      ? []
      : [`${each.component} ${each.version} has another ${changed.join(", another ")}`];
  });
  if (faults.length > 0)
    throw new BuildError(
      "ERR_NOT_RELEASED",
      `${faults.join("; ")} (${RELEASED_FILE}); run npm run bump and commit what it changes with the change`,
    );
}

export function entryOf(
  released: readonly ReleasedVersion[],
  component: string,
  version: string,
): ReleasedVersion | undefined {
  return released.find((entry) => entry.component === component && entry.version === version);
}

/** The highest version that `component` was ever released in. */
export function highest(released: readonly ReleasedVersion[], component: string): string | undefined {
  return released
    .filter((entry) => entry.component === component)
    .map(({ version }) => version)
    .sort(compareVersions)
    .at(-1);
}

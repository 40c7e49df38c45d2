import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ComponentVersion } from "@coalmine/contract";
import { asReleased, buildAll } from "./build.ts";
import type { Platform } from "./platform.ts";
import { type Raise, raise } from "./raise.ts";
import { recipeDigest, renderRecipe } from "./recipe-template.ts";
import { readReleased, RELEASED_FILE, releasedText, type ReleasedVersion } from "./released.ts";
import { setVersion } from "./set-version.ts";
import { findSources } from "./sources.ts";

export interface Bumped {
  readonly component: string;
  readonly from: string;
  /** The version that was appended; the same as `from` where it was new or raised by hand. */
  readonly to: string;
  readonly because: readonly string[];
}

/**
 * Builds everything, raises the patch of what differs from its released version, and appends to the list. Every
 * version is decided before any is written. Returns what was appended, and the files that changed.
 */
export async function bumpVersions(options: {
  readonly root: string;
  readonly platforms: readonly Platform[];
  readonly cacheFolder: string;
  /** Names of components to look at; all where it is not given. */
  readonly only?: readonly string[];
}): Promise<{ bumped: Bumped[]; files: string[] }> {
  const { root } = options;
  const sources = findSources(root);
  const released = readReleased(root);
  const { components } = await buildAll({ ...options, allowUnreleased: true });
  const planned = components.map((component) => {
    const built = asReleased(component);
    return { built, plan: raise(released, built) };
  });

  const appended: ReleasedVersion[] = [];
  const bumped: Bumped[] = [];
  const files = new Set<string>();
  for (const { built, plan } of planned) {
    if (plan.kind === "unchanged") continue;
    const { component, version } = built;
    const to = plan.kind === "raise" ? plan.to : version;
    const source = sources.find((each) => each.component === component);
    if (to !== version && source !== undefined)
      for (const file of setVersion(root, source, to)) files.add(file);
    // The recipe tells the component its version, so it is another recipe now.
    const { recipe } = renderRecipe(root, component, to);
    appended.push({ ...built, version: ComponentVersion.parse(to), recipe: recipeDigest(recipe) });
    bumped.push({ component, from: version, to, because: reasons(plan) });
  }
  if (appended.length > 0) {
    writeFileSync(join(root, RELEASED_FILE), releasedText([...released, ...appended]));
    files.add(RELEASED_FILE);
  }
  return { bumped, files: [...files] };
}

function reasons(plan: Raise): readonly string[] {
  return plan.kind === "raise" ? plan.because : ["new version"];
}

import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { invariant } from "@coalmine/runtime";
import semver from "semver";
import { findSources } from "../../pipeline/build/sources.ts";
import { applyChange, type Change } from "../rollout/regressions.ts";
import type { Places } from "../system/state.ts";
import { buildHere, ownRelease, type OwnRelease } from "./own-release.ts";

/** What a build reads beside the components. */
const BESIDE = [
  "packages",
  "models",
  "recipes",
  "node_modules",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
];

export interface Releases {
  readonly running: OwnRelease;
  readonly candidate: OwnRelease;
}

/**
 * What runs on the devices, and what is rolled onto them: with a change, the component that it changes, built with it;
 * without one, every component under its next version with the bytes that it had. All of it lies in the folder: whoever
 * builds in the checkout meanwhile is not in the way.
 */
export async function buildReleases(
  { root, cache }: Places,
  folder: string,
  change: Change | undefined,
): Promise<Releases> {
  const built = await buildHere(checkoutIn(join(folder, "built"), root), cache);
  const changed = change && (await buildChanged(checkoutIn(join(folder, "changed"), root), cache, change));
  const raised = (changed ?? built).manifest.components.flatMap(({ component, version, kind }) =>
    kind === "component" ? [[component, semver.inc(version, "patch") ?? version] as const] : [],
  );
  return {
    running: await ownRelease(join(folder, "running"), built),
    candidate: await ownRelease(join(folder, "candidate"), built, Object.fromEntries(raised), changed),
  };
}

async function buildChanged(checkout: string, cache: string, change: Change): Promise<OwnRelease> {
  applyChange(checkout, change);
  const source = findSources(checkout).find(({ folder }) => change.file.startsWith(`${folder}/`));
  invariant(source !== undefined, `${change.file} belongs to no component`);
  return buildHere(checkout, cache, [source.component]);
}

/**
 * The checkout as it stands in another folder: components are copies, which can be changed, and the rest is linked. What
 * is built there differs from the checkout's own build at most in paths that comments of a bundle name.
 */
function checkoutIn(folder: string, root: string): string {
  mkdirSync(folder, { recursive: true });
  for (const name of BESIDE) symlinkSync(join(root, name), join(folder, name));
  cpSync(join(root, "components"), join(folder, "components"), {
    recursive: true,
    filter: (path) => basename(path) !== "dist",
  });
  return folder;
}

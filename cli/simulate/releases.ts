import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { invariant } from "@coalmine/runtime";
import semver from "semver";
import { findSources } from "../../pipeline/build/sources.ts";
import { applyChange, type Change } from "../../simulator/fleet/mutants/change.ts";
import type { Places } from "../system/state.ts";
import { buildHere, ownRelease, type OwnRelease } from "./own-release.ts";

/** What a build reads beside the components. */
const BESIDE = ["packages", "node_modules", "package.json", "package-lock.json", "tsconfig.json"];

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
  at: Places,
  folder: string,
  change: Change | undefined,
): Promise<Releases> {
  const built = await buildRunning(at, folder);
  return {
    running: await ownRelease(join(folder, "running"), built),
    candidate: await buildCandidate(at, folder, built, change),
  };
}

/** Everything as the checkout has it. */
export function buildRunning({ root, cache }: Places, folder: string): Promise<OwnRelease> {
  return buildHere(checkoutIn(join(folder, "built"), root), cache);
}

/** What is rolled onto `built`; `name` is how its change is known. */
export async function buildCandidate(
  { root, cache }: Places,
  folder: string,
  built: OwnRelease,
  change: Change | undefined,
  name?: string,
): Promise<OwnRelease> {
  const changed =
    change && (await buildChanged(checkoutIn(join(folder, "changed"), root), cache, change, name));
  const raised = (changed ?? built).manifest.components.flatMap(({ component, version, kind }) =>
    changed !== undefined || kind === "component"
      ? [[component, semver.inc(version, "patch") ?? version] as const]
      : [],
  );
  return ownRelease(join(folder, "candidate"), built, Object.fromEntries(raised), changed);
}

async function buildChanged(
  checkout: string,
  cache: string,
  change: Change,
  name?: string,
): Promise<OwnRelease> {
  applyChange(checkout, change, name);
  const [{ file }] = change.edits;
  const source = findSources(checkout).find(
    ({ component, folder }) =>
      (file.startsWith(`${folder}/`) && folder !== "recipes") || file === `recipes/${component}.yaml`,
  );
  invariant(source !== undefined, `${file} belongs to no component`);
  return buildHere(checkout, cache, [source.component]);
}

/** What a change may change. */
const COPIED = ["components", "models", "recipes"];

/**
 * The checkout as it stands in another folder: what may be changed is a copy, and the rest is linked. What is built there
 * differs from the checkout's own build at most in paths that comments of a bundle name.
 */
function checkoutIn(folder: string, root: string): string {
  mkdirSync(folder, { recursive: true });
  for (const name of BESIDE) symlinkSync(join(root, name), join(folder, name));
  for (const name of COPIED)
    cpSync(join(root, name), join(folder, name), {
      recursive: true,
      filter: (path) => basename(path) !== "dist",
    });
  return folder;
}

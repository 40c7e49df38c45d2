import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ComponentVersion } from "@coalmine/contract";
import { parseRecipe } from "@coalmine/recipe";
import { BuildManifest } from "../pipeline/build/build-manifest.ts";
import { recipeDigest } from "../pipeline/build/recipe-template.ts";
import { recipeOfThisMachine } from "./on-this-machine.ts";

const dist = join(dirname(import.meta.dirname), "dist");

export interface OwnRelease {
  readonly dist: string;
  readonly manifest: BuildManifest;
}

/**
 * What this checkout's build made, in a folder of its own, as this machine can publish it: between releases too, its
 * bytes are taken for released. `raised` gives components another version of the same bytes.
 */
export async function ownRelease(
  folder: string,
  raised: Readonly<Record<string, string>> = {},
): Promise<OwnRelease> {
  const built = BuildManifest.parse(JSON.parse(await readFile(join(dist, "build.json"), "utf8")));
  await mkdir(join(folder, "recipes"), { recursive: true });
  await symlink(join(dist, "artifacts"), join(folder, "artifacts"));
  const components = [];
  for (const one of built.components) {
    const version = ComponentVersion.parse(raised[one.component] ?? one.version);
    const recipe = await readFile(join(dist, one.recipeFile), "utf8");
    const text = recipeOfThisMachine(withVersion(recipe, one.component, one.version, version));
    await writeFile(join(folder, one.recipeFile), text);
    components.push({
      ...one,
      version,
      released: true,
      recipe: recipeDigest(parseRecipe(text, one.recipeFile)),
    });
  }
  return { dist: folder, manifest: { ...built, components } };
}

/** The same recipe under another version, wherever the build wrote it. */
export function withVersion(recipe: string, component: string, from: string, to: string): string {
  return recipe
    .replace(`ComponentVersion: "${from}"`, `ComponentVersion: "${to}"`)
    .replace(`COMPONENT_VERSION: "${from}"`, `COMPONENT_VERSION: "${to}"`)
    .replaceAll(`/${component}/${from}/`, `/${component}/${to}/`);
}

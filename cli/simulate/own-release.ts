import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ComponentVersion } from "@coalmine/contract";
import { parseRecipe } from "@coalmine/recipe";
import { parse, stringify } from "yaml";
import * as z from "zod";
import { buildAll } from "../../pipeline/build/build.ts";
import type { BuildManifest } from "../../pipeline/build/build-manifest.ts";
import { hostPlatform } from "../../pipeline/build/platform.ts";
import { recipeDigest } from "../../pipeline/build/recipe-template.ts";
import { SimulationRefused } from "./simulation-refused.ts";

/** What a build made, and the folder it lies in. */
export interface OwnRelease {
  readonly dist: string;
  readonly manifest: BuildManifest;
}

/** Builds a checkout for this machine alone, whether it is released or not; `only` names components. */
export async function buildHere(
  root: string,
  cacheFolder: string,
  only?: readonly string[],
): Promise<OwnRelease> {
  const platform = hostPlatform();
  if (platform === undefined)
    throw new SimulationRefused(
      `there are no artifacts for ${process.platform} ${process.arch}; build and run them on Linux, x64 or arm64`,
    );
  const manifest = await buildAll({
    root,
    platforms: [platform],
    allowUnreleased: true,
    cacheFolder,
    ...(only === undefined ? {} : { only }),
  });
  return { dist: join(root, "dist"), manifest };
}

/**
 * A build in a folder of its own, as this machine can publish it: between releases too, its bytes are taken for released.
 * `raised` gives components another version; of those that `changed` has built, the bytes are its.
 */
export async function ownRelease(
  folder: string,
  built: OwnRelease,
  raised: Readonly<Record<string, string>> = {},
  changed?: OwnRelease,
): Promise<OwnRelease> {
  await mkdir(join(folder, "recipes"), { recursive: true });
  await mkdir(join(folder, "artifacts"));
  const components = [];
  for (const own of built.manifest.components) {
    const other = changed?.manifest.components.find(({ component }) => component === own.component);
    const [one, dist] = other === undefined ? [own, built.dist] : [other, changed?.dist ?? ""];
    await symlink(join(dist, "artifacts", one.component), join(folder, "artifacts", one.component));
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
  const manifest = { ...built.manifest, components };
  await writeFile(join(folder, "build.json"), JSON.stringify(manifest));
  return { dist: folder, manifest };
}

/** The same recipe under another version, wherever the build wrote it. */
export function withVersion(recipe: string, component: string, from: string, to: string): string {
  return recipe
    .replace(`ComponentVersion: "${from}"`, `ComponentVersion: "${to}"`)
    .replace(`COMPONENT_VERSION: "${from}"`, `COMPONENT_VERSION: "${to}"`)
    .replaceAll(`/${component}/${from}/`, `/${component}/${to}/`);
}

const Manifest = z.looseObject({ Platform: z.looseObject({ architecture: z.string().optional() }) });
const Recipe = z.looseObject({ Manifests: z.array(Manifest) });

/**
 * A recipe with the manifests of this machine's architecture alone: a component version cannot be created with artifacts
 * that are not there.
 */
export function recipeOfThisMachine(text: string): string {
  const architecture = process.arch === "arm64" ? "aarch64" : "amd64";
  const recipe = Recipe.parse(parse(text));
  const Manifests = recipe.Manifests.filter(
    ({ Platform }) => (Platform.architecture ?? architecture) === architecture,
  );
  return stringify({ ...recipe, Manifests });
}

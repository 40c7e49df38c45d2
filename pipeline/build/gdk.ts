/**
 * `npm run gdk -- components/sensor-reader`: what `gdk component build` calls in a component's folder. It fills
 * `greengrass-build` there, so that `gdk component publish` finds what it publishes.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CoalmineError } from "@coalmine/runtime";
import { buildArtifacts } from "./artifacts.ts";
import { BuildError } from "./build-error.ts";
import { cacheFolder } from "./cache-folder.ts";
import { gdkArtifact, gdkRecipeText } from "./gdk-recipe.ts";
import { platforms } from "./platform.ts";
import { renderRecipe } from "./recipe-template.ts";
import { findSources } from "./sources.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
try {
  await build(process.argv[2] ?? "");
} catch (failure) {
  if (!(failure instanceof CoalmineError)) throw failure;
  console.error(failure.message);
  process.exitCode = 1;
}

async function build(folder: string): Promise<void> {
  const source = findSources(root).find((each) => each.kind === "component" && each.folder === folder);
  if (source === undefined)
    throw new BuildError(
      "ERR_BUILD_SOURCE",
      `"${folder}" is no component's folder; name one, as components/inference`,
    );
  const { component, version, artifact } = source;
  const { recipe } = renderRecipe(root, component, version);
  const { artifacts } = await buildArtifacts(root, source, platforms, cacheFolder(root, process.env));
  const out = join(root, folder, "greengrass-build");
  const zips = join(out, "artifacts", component, version);
  const recipes = join(out, "recipes");
  for (const made of [zips, recipes]) mkdirSync(made, { recursive: true });
  for (const { platform, zip } of artifacts)
    if (platform !== "any") writeFileSync(join(zips, `${gdkArtifact(artifact, platform)}.zip`), zip);
  // The kit follows the link recipe.yaml, and looks for the name that it finds there.
  writeFileSync(join(recipes, `${component}.yaml`), gdkRecipeText(recipe, artifact));
  console.log(`${component} ${version} lies in ${folder}/greengrass-build`);
}

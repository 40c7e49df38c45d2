import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Sha256 } from "@coalmine/contract";
import {
  isJsonObject,
  type JsonValue,
  parseSubmittedRecipe,
  type Recipe,
  recipeDocument,
} from "@coalmine/recipe";
import { BuildError } from "./build-error.ts";
import { sha256 } from "./digest.ts";

/** Where artifacts lie is the region's matter, filled in when it is published there. */
const BUCKET = "s3://BUCKET_NAME/";
const OBJECT = `${BUCKET}COMPONENT_NAME/COMPONENT_VERSION/`;

export interface RenderedRecipe {
  readonly text: string;
  readonly recipe: Recipe;
}

/** The recipe of `component` in that version, its artifacts still in `BUCKET_NAME`. */
export function renderRecipe(root: string, component: string, version: string): RenderedRecipe {
  const file = `recipes/${component}.yaml`;
  let template: string;
  try {
    template = readFileSync(join(root, file), "utf8");
  } catch (failure) {
    throw new BuildError("ERR_BUILD_SOURCE", `${component} has no recipe; write ${file}`, { cause: failure });
  }
  const text = template
    .replaceAll("{COMPONENT_NAME}", component)
    .replaceAll("{COMPONENT_VERSION}", version)
    .replaceAll(OBJECT, `${BUCKET}${component}/${version}/`);
  const recipe = parseSubmittedRecipe(text, file);
  if (recipe.componentName !== component || recipe.componentVersion !== version)
    throw new BuildError(
      "ERR_BUILD_SOURCE",
      `${file} is the recipe of ${recipe.componentName} ${recipe.componentVersion}, and should be of ${component} ${version}; correct ComponentName, and write {COMPONENT_VERSION} for the version`,
    );
  return { text, recipe };
}

/** The rendered recipe as one region has it. */
export function withBucket(text: string, bucket: string): string {
  return text.replaceAll(BUCKET, `s3://${bucket}/`);
}

/** Where `withBucket` puts an artifact. */
export function objectKey(component: string, version: string, platform: string, file: string): string {
  return `${component}/${version}/${platform}/${file}`;
}

/**
 * What the recipe says, without where its artifacts lie and without what the cloud adds to it: the same for the
 * recipe in git and for what any region gives back of it. Comments and the order of keys do not count.
 */
export function recipeDigest(recipe: Recipe): Sha256 {
  const bare: Recipe = {
    ...recipe,
    manifests: recipe.manifests.map((manifest) => ({
      ...manifest,
      artifacts: manifest.artifacts.map(({ uri, unarchive, permission }) => ({
        uri: uri.slice(uri.lastIndexOf("/") + 1),
        unarchive,
        permission,
      })),
    })),
  };
  return sha256(JSON.stringify(sorted(recipeDocument(bare))));
}

function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  );
}

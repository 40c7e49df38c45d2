import { isJsonObject, type JsonObject, type JsonValue, type Recipe, recipeDocument } from "@coalmine/recipe";
import { stringify } from "yaml";
import { BuildError } from "./build-error.ts";
import type { Platform } from "./platform.ts";

/** The kit takes no larger recipe, and neither does AWS. */
export const RECIPE_BYTES_MAX = 16_000;
const ARCHITECTURES: Readonly<Record<string, Platform>> = { amd64: "linux-x64", aarch64: "linux-arm64" };

/** What the kit calls an artifact: it keeps all of a version's in one folder, so the platform is part of the name. */
export function gdkArtifact(artifact: string, platform: Platform): string {
  return `${artifact}-${platform}`;
}

/**
 * A component's recipe as the Greengrass Development Kit publishes it: artifacts without a folder for the platform, and
 * so each manifest with a lifecycle of its own, since the zip's name is the folder that it is unpacked into.
 */
function gdkRecipe(recipe: Recipe, artifact: string): JsonObject {
  const document = recipeDocument(recipe);
  const { Lifecycle, Manifests } = document;
  if (!Array.isArray(Manifests) || !isJsonObject(Lifecycle) || Object.keys(Lifecycle).length === 0)
    throw new BuildError(
      "ERR_BUILD_SOURCE",
      `the recipe of ${recipe.componentName} has no manifests or no lifecycle for all of them; write both`,
    );
  const manifests = Manifests.map((manifest, index): JsonValue => {
    const platform = ARCHITECTURES[recipe.manifests[index]?.platform["architecture"] ?? ""];
    if (platform === undefined || !isJsonObject(manifest))
      throw new BuildError(
        "ERR_BUILD_SOURCE",
        `manifest ${index + 1} of the recipe of ${recipe.componentName} is for no architecture that is built: ${Object.keys(ARCHITECTURES).join(", ")}`,
      );
    const named = gdkArtifact(artifact, platform);
    return {
      ...manifest,
      Lifecycle: replaced(Lifecycle, `/${artifact}/`, `/${named}/`),
      Artifacts: replaced(manifest["Artifacts"] ?? [], `/${platform}/${artifact}.zip`, `/${named}.zip`),
    };
  });
  const { Lifecycle: _, ...rest } = document;
  return { ...rest, Manifests: manifests };
}

/** Texts in quotes: the kit reads YAML 1.1, to which the recipe's format version is a date. */
export function gdkRecipeText(recipe: Recipe, artifact: string): string {
  return stringify(gdkRecipe(recipe, artifact), {
    defaultStringType: "QUOTE_DOUBLE",
    defaultKeyType: "PLAIN",
  });
}

/** The same value with every text in it changed. */
function replaced(value: JsonValue, from: string, to: string): JsonValue {
  if (typeof value === "string") return value.replaceAll(from, to);
  if (Array.isArray(value)) return value.map((each) => replaced(each, from, to));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, replaced(each, from, to)]));
}

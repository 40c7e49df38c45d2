import type { JsonObject } from "./json.ts";
import { parseRecipe } from "./parse-recipe.ts";
import { RecipeError } from "./recipe-error.ts";
import type { Recipe } from "./recipe-schema.ts";

/** The largest recipe that CreateComponentVersion takes. @see https://docs.aws.amazon.com/general/latest/gr/greengrassv2.html */
export const RECIPE_BYTES_MAX = 16_000;

/** Throws `RecipeError` where the text is longer than the cloud takes. */
export function checkRecipeSize(text: string, file: string): void {
  const bytes = new TextEncoder().encode(text).length;
  if (bytes <= RECIPE_BYTES_MAX) return;
  throw new RecipeError({
    code: "RECIPE_TOO_LARGE",
    file,
    line: 1,
    column: 1,
    rule: `the recipe has ${bytes} bytes and may have ${RECIPE_BYTES_MAX}`,
    remedy: "move long scripts and data into the artifact",
  });
}

/** A recipe as an author hands it to the cloud: not too large, and without the digests that only the cloud may write. */
export function parseSubmittedRecipe(text: string, file: string): Recipe {
  checkRecipeSize(text, file);
  const recipe = parseRecipe(text, file);
  const digested = recipe.manifests
    .flatMap((manifest) => manifest.artifacts)
    .find((artifact) => artifact.digest !== undefined || artifact.algorithm !== undefined);
  if (digested === undefined) return recipe;
  throw new RecipeError({
    code: "RECIPE_NAMES_A_DIGEST",
    file,
    line: 1,
    column: 1,
    rule: `the artifact ${digested.uri} has a Digest or Algorithm, which the cloud writes itself`,
    remedy: "remove both",
  });
}

/** The recipe as a document again, with the keys as Greengrass spells them: what the cloud keeps and gives out. */
export function recipeDocument(recipe: Recipe): JsonObject {
  return {
    RecipeFormatVersion: recipe.formatVersion,
    ComponentName: recipe.componentName,
    ComponentVersion: recipe.componentVersion,
    ComponentType: recipe.componentType,
    ...(recipe.description === undefined ? {} : { ComponentDescription: recipe.description }),
    ...(recipe.publisher === undefined ? {} : { ComponentPublisher: recipe.publisher }),
    ComponentConfiguration: { DefaultConfiguration: recipe.configuration },
    ComponentDependencies: Object.fromEntries(
      Object.entries(recipe.dependencies).map(([name, dependency]) => [
        name,
        {
          VersionRequirement: dependency.versionRequirement,
          DependencyType: dependency.dependencyType,
        },
      ]),
    ),
    Manifests: recipe.manifests.map((manifest) => ({
      ...(manifest.name === undefined ? {} : { Name: manifest.name }),
      ...(Object.keys(manifest.platform).length === 0 ? {} : { Platform: manifest.platform }),
      Lifecycle: manifest.lifecycle,
      Artifacts: manifest.artifacts.map((artifact) => ({
        Uri: artifact.uri,
        Unarchive: artifact.unarchive,
        Permission: { Read: artifact.permission.read, Execute: artifact.permission.execute },
        ...(artifact.digest === undefined ? {} : { Digest: artifact.digest }),
        ...(artifact.algorithm === undefined ? {} : { Algorithm: artifact.algorithm }),
      })),
      Selections: manifest.selections,
    })),
    Lifecycle: recipe.lifecycle,
  };
}

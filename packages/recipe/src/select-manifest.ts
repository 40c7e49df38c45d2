import type { Artifact } from "./artifact.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import { platformMatches } from "./platform.ts";
import type { Manifest, Recipe } from "./recipe-schema.ts";

export interface SelectedManifest {
  readonly name?: string;
  /** The lifecycle for this platform, selector keywords resolved, steps as they are written. */
  readonly lifecycle: JsonObject;
  readonly artifacts: readonly Artifact[];
}

/** The first manifest whose platform fits, with the lifecycle that goes with it; undefined where none fits. */
export function selectManifest(
  recipe: Recipe,
  platform: Readonly<Record<string, string>>,
): SelectedManifest | undefined {
  const manifest = recipe.manifests.find((each) => platformMatches(each.platform, platform));
  if (manifest === undefined) return undefined;
  return {
    ...(manifest.name === undefined ? {} : { name: manifest.name }),
    lifecycle: lifecycleOf(recipe, manifest),
    artifacts: manifest.artifacts,
  };
}

/** A manifest's own lifecycle, or the recipe's as the manifest selects of it. */
export function lifecycleOf(recipe: Recipe, manifest: Manifest): JsonObject {
  return Object.keys(manifest.lifecycle).length > 0 ? manifest.lifecycle : globalLifecycle(recipe, manifest);
}

function globalLifecycle(recipe: Recipe, manifest: Manifest): JsonObject {
  const keywords = new Set(["all", ...recipe.manifests.flatMap((each) => each.selections)]);
  const selected = resolve(recipe.lifecycle, [...manifest.selections, "all"], keywords);
  return isJsonObject(selected) ? selected : {};
}

/** A map with any keyword as a key stands for its chosen member; the other members of that level are dropped. */
function resolve(
  value: JsonValue,
  selections: readonly string[],
  keywords: ReadonlySet<string>,
): JsonValue | undefined {
  if (!isJsonObject(value)) return value;
  if (Object.keys(value).some((key) => keywords.has(key))) {
    const chosen = selections.find((selection) => Object.hasOwn(value, selection));
    const member = chosen === undefined ? undefined : value[chosen];
    return member === undefined ? undefined : resolve(member, selections, keywords);
  }
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => {
      const kept = resolve(each, selections, keywords);
      return kept === undefined ? [] : [[key, kept]];
    }),
  );
}

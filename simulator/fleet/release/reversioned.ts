import { componentNames } from "@coalmine/contract";
import { isJsonObject, type JsonObject } from "@coalmine/recipe";
import { parse, stringify } from "yaml";
import { ReleaseUnreadable, type Release, type ReleasedComponent } from "./release-folder.ts";

const keepTheirs: ReadonlySet<string> = new Set([
  componentNames.nodeRuntime,
  componentNames.bloodViscosityModel,
]);

/**
 * The same bytes under the next patch version of every component that runs: an upgrade in which all is as before, for
 * where there is no second build to upgrade to. Models and Node keep theirs.
 */
export function reversioned(release: Release): Release {
  return {
    ...release,
    components: release.components.map((one) => (keepTheirs.has(one.component) ? one : next(one))),
  };
}

function next(one: ReleasedComponent): ReleasedComponent {
  const { component, version: before } = one;
  const version = before.replace(/\d+$/, (patch) => String(Number(patch) + 1));
  const recipe: unknown = parse(one.recipe);
  if (!isJsonObject(recipe)) throw new ReleaseUnreadable(`the recipe of ${component} ${before} is no object`);
  const moved = (text: string): string => text.replace(`${component}/${before}/`, `${component}/${version}/`);
  return {
    ...one,
    version,
    recipe: stringify(rewritten(recipe, (text) => (text === before ? version : moved(text)))),
    artifacts: one.artifacts.map((artifact) => ({ ...artifact, key: moved(artifact.key) })),
  };
}

/** Everything but what a recipe says of other components: their versions are their own. */
function rewritten(recipe: JsonObject, rewrite: (text: string) => string): JsonObject {
  const { ComponentDependencies, ComponentConfiguration, ...rest } = recipe;
  const copy: JsonObject = JSON.parse(
    JSON.stringify(rest, (_, value: unknown) => (typeof value === "string" ? rewrite(value) : value)),
  );
  return {
    ...copy,
    ...(ComponentDependencies === undefined ? {} : { ComponentDependencies }),
    ...(ComponentConfiguration === undefined ? {} : { ComponentConfiguration }),
  };
}

import type { Recipe } from "@coalmine/recipe";
import { DeploymentError } from "./deployment-error.ts";

/** Who asks (a group, or a depending component) → the range asked for. */
export type Constraints = Readonly<Record<string, string>>;

export interface Candidates {
  /** The version to take, or a `DeploymentError`. */
  choose(
    name: string,
    constraints: Constraints,
  ): Promise<{ readonly version: string; readonly recipe: Recipe }>;
}

export interface Root {
  readonly component: string;
  readonly version: string;
  /** `thinggroup/<name>`, `thing/<name>` or `LOCAL_DEPLOYMENT`. */
  readonly group: string;
}

export interface Resolved {
  readonly name: string;
  readonly version: string;
  readonly recipe: Recipe;
}

/** A fleet's whole suite takes some tens; far more is ranges chasing one another. */
const CHOICES_MAX = 1000;

/** Breadth first from the roots; a component whose requirements change is chosen again. */
export async function resolveDependencies(
  roots: readonly Root[],
  candidates: Candidates,
): Promise<ReadonlyMap<string, Resolved>> {
  const asked = new Map<string, Map<string, string>>();
  const resolved = new Map<string, Resolved>();
  const queue = new Set<string>();
  for (const { component, version, group } of roots) {
    asked.set(component, (asked.get(component) ?? new Map<string, string>()).set(group, `=${version}`));
    queue.add(component);
  }
  let choices = 0;
  for (const name of queue) {
    queue.delete(name);
    const constraints = asked.get(name);
    if (constraints === undefined || constraints.size === 0) continue;
    if (++choices > CHOICES_MAX)
      throw new DeploymentError(
        ["COMPONENT_CIRCULAR_DEPENDENCY_ERROR"],
        `the versions of ${name} do not settle; narrow the ranges of the components that depend on it`,
      );
    const chosen = await candidates.choose(name, Object.fromEntries(constraints));
    const before = resolved.get(name);
    if (before?.version === chosen.version) continue;
    for (const dependency of Object.keys(before?.recipe.dependencies ?? {}))
      if (asked.get(dependency)?.delete(name) === true) queue.add(dependency);
    resolved.set(name, { name, ...chosen });
    for (const [dependency, { versionRequirement }] of Object.entries(chosen.recipe.dependencies)) {
      asked.set(
        dependency,
        (asked.get(dependency) ?? new Map<string, string>()).set(name, versionRequirement),
      );
      queue.add(dependency);
    }
  }
  const wanted = reachable(roots, resolved);
  if (
    [...wanted.values()].filter(({ recipe }) => recipe.componentType === "aws.greengrass.nucleus").length > 1
  )
    throw new DeploymentError(
      ["MULTIPLE_NUCLEUS_RESOLVED_ERROR"],
      "more than one nucleus is asked for; deploy aws.greengrass.Nucleus only",
    );
  return wanted;
}

function reachable(roots: readonly Root[], resolved: ReadonlyMap<string, Resolved>): Map<string, Resolved> {
  const wanted = new Map<string, Resolved>();
  const visit = (name: string, above: readonly string[]): void => {
    if (above.includes(name))
      throw new DeploymentError(
        ["COMPONENT_CIRCULAR_DEPENDENCY_ERROR"],
        `Circular dependency detected for component ${name}: ${[...above, name].join(" → ")}`,
      );
    const component = resolved.get(name);
    if (component === undefined || wanted.has(name)) return;
    for (const dependency of Object.keys(component.recipe.dependencies)) visit(dependency, [...above, name]);
    wanted.set(name, component);
  };
  for (const { component } of roots) visit(component, []);
  return wanted;
}

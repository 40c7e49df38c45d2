import type { JsonObject, JsonValue } from "@coalmine/ports";
import { parseSteps, type LifecycleSteps } from "@coalmine/recipe";
import type { ConfigurationTree } from "../configuration/tree.ts";
import { isObject, member, sameJson, textMember } from "../json.ts";
import type { SystemResourceLimits } from "../ports.ts";

export interface Dependency {
  readonly name: string;
  readonly type: "HARD" | "SOFT";
}

/** What of `services.<component>` decides how the component is run. */
export interface Definition {
  readonly name: string;
  readonly version: string;
  readonly type: string;
  readonly dependencies: readonly Dependency[];
  /** After interpolation, as it is stored. */
  readonly lifecycle: JsonObject;
  readonly steps: LifecycleSteps;
  readonly posixUser: string | undefined;
  /** Nothing runs as it here; that it changes counts all the same. */
  readonly windowsUser: string | undefined;
  readonly limits: SystemResourceLimits | undefined;
}

export function definitionOf(tree: ConfigurationTree, name: string): Definition | undefined {
  const service = tree.getObject(["services", name]);
  const version = textMember(service, "version");
  if (version === undefined) return undefined;
  const lifecycle = tree.getObject(["services", name, "lifecycle"]);
  const dependencies = service["dependencies"];
  return {
    name,
    version,
    type: textMember(service, "componentType") ?? "aws.greengrass.generic",
    dependencies: Array.isArray(dependencies) ? dependencies.flatMap(dependencyOf) : [],
    lifecycle,
    steps: parseSteps(lifecycle),
    posixUser: tree.getText(["services", name, "runWith", "posixUser"]),
    windowsUser: tree.getText(["services", name, "runWith", "windowsUser"]),
    limits: limitsAt(tree, ["services", name, "runWith"]),
  };
}

/** `systemResourceLimits` there, or undefined. */
export function limitsAt(tree: ConfigurationTree, path: readonly string[]): SystemResourceLimits | undefined {
  const written = tree.get([...path, "systemResourceLimits"]);
  if (!isObject(written)) return undefined;
  const memory = Number(member(written, "memory") ?? 0);
  const cpus = Number(member(written, "cpus") ?? 0);
  return { ...(memory > 0 ? { memory } : {}), ...(cpus > 0 ? { cpus } : {}) };
}

/** "name" or "name:SOFT". */
function dependencyOf(entry: JsonValue): Dependency[] {
  if (typeof entry !== "string") return [];
  const [name = "", type = "HARD"] = entry.split(":");
  return [{ name, type: type.toUpperCase() === "SOFT" ? "SOFT" : "HARD" }];
}

export type Effect = "nothing" | "restart" | "reinstall";

/**
 * What a change of definition does to a component that is there. Configuration is no part of this: a running component
 * is told of it, unless its lifecycle's text holds it.
 */
export function effectOf(before: Definition, after: Definition): Effect {
  const reinstalls = (["version", "posixUser", "windowsUser"] as const).some(
    (key) => before[key] !== after[key],
  );
  const touched = stepsTouched(before.lifecycle, after.lifecycle);
  if (reinstalls || touched.includes("install")) return "reinstall";
  if (touched.some((step) => step !== "shutdown")) return "restart";
  const known = new Set(before.dependencies.map((dependency) => dependency.name));
  return after.dependencies.some((dependency) => !known.has(dependency.name)) ? "restart" : "nothing";
}

/** What of a lifecycle is new, differs, or is gone; in lower case. */
function stepsTouched(before: JsonObject, after: JsonObject): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)].map((name) => name.toLowerCase()));
  return [...names].filter((name) => !sameJson(member(before, name), member(after, name)));
}

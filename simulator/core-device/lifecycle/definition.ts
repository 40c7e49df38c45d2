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
  readonly configuration: JsonObject;
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
    configuration: tree.getObject(["services", name, "configuration"]),
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
 * What a change of definition does to a component that is there. Of a changed configuration a running component is told,
 * unless its lifecycle's text holds it, or what changed has one of the names by which the nucleus knows its own.
 */
export function effectOf(before: Definition, after: Definition): Effect {
  const reinstalls = (["version", "posixUser", "windowsUser"] as const).some(
    (key) => before[key] !== after[key],
  );
  const touched = stepsTouched(before.lifecycle, after.lifecycle);
  const named = effectOfNames([...changedPaths(before.configuration, after.configuration)]);
  if (reinstalls || touched.includes("install") || named === "reinstall") return "reinstall";
  if (touched.some((step) => step !== "shutdown") || named === "restart") return "restart";
  const known = new Set(before.dependencies.map((dependency) => dependency.name));
  return after.dependencies.some((dependency) => !known.has(dependency.name)) ? "restart" : "nothing";
}

/** The nucleus asks how a changed value, and what it lies in, is called, and not where it stands. */
function effectOfNames(paths: readonly (readonly string[])[]): Effect {
  const counted = paths.filter((path) => !path.includes("shutdown"));
  const under = (...names: string[]) => counted.filter((path) => names.some((name) => path.includes(name)));
  if (under("version", "install").length > 0) return "reinstall";
  if (under("runwith").some((path) => !path.includes("systemresourcelimits"))) return "reinstall";
  return under("lifecycle", "setenv").length > 0 ? "restart" : "nothing";
}

/** Of each value that is new, differs, or is gone: its names from the outermost on, in lower case. */
function* changedPaths(
  before: JsonObject,
  after: JsonObject,
  above: readonly string[] = [],
): Iterable<string[]> {
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [before[name], after[name]];
    const path = [...above, name.toLowerCase()];
    if (sameJson(was, is)) continue;
    if (isObject(was) || isObject(is))
      yield* changedPaths(isObject(was) ? was : {}, isObject(is) ? is : {}, path);
    else yield path;
  }
}

/** What of a lifecycle is new, differs, or is gone; in lower case. */
function stepsTouched(before: JsonObject, after: JsonObject): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)].map((name) => name.toLowerCase()));
  return [...names].filter((name) => !sameJson(member(before, name), member(after, name)));
}

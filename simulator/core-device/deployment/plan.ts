import type { Instant, JsonObject, JsonValue } from "@coalmine/ports";
import {
  interpolate,
  selectManifest,
  type DeploymentDocument,
  type InterpolationContext,
} from "@coalmine/recipe";
import { messageOf } from "@coalmine/runtime";
import { resolveConfiguration } from "../configuration/resolve.ts";
import { ConfigurationTree, copyOf, toJson, type Interior } from "../configuration/tree.ts";
import { isObject, member, sameJson } from "../json.ts";
import { definitionOf, type Definition } from "../lifecycle/definition.ts";
import type { Platform } from "../ports.ts";
import { artifactFolder, unarchivedFolder } from "../store/component-store.ts";
import type { Resolved } from "./dependency-resolution.ts";
import { DeploymentError } from "./deployment-error.ts";

export const NUCLEUS = "aws.greengrass.Nucleus";
export const TOKEN_EXCHANGE = "aws.greengrass.TokenExchangeService";
const GENERIC = "aws.greengrass.generic";
const PLUGIN = "aws.greengrass.plugin";

interface PlanOptions {
  readonly present: ConfigurationTree;
  readonly resolved: ReadonlyMap<string, Resolved>;
  readonly document: DeploymentDocument;
  readonly platform: Platform;
  readonly rootPath: string;
  readonly thingName: string;
  /** When the configuration of this deployment counts as written. */
  readonly atMs: Instant;
}

export interface Plan {
  /** The components of the deployment as they are to be, and nothing else of the device's configuration. */
  readonly target: ConfigurationTree;
  /** Components of the device that nothing asks for any more. */
  readonly obsolete: readonly string[];
  /** Components with scripts that stay at their version with another configuration, with what is proposed. */
  readonly reconfigured: ReadonlyMap<string, JsonObject>;
  /** Components that are new or changed and have a bootstrap step; what others depend on comes first. */
  readonly bootstraps: readonly string[];
  /** Configuration of the nucleus changes that it reads only when it starts, or a plugin, which it loads only then. */
  readonly restartsNucleus: boolean;
}

/** Builds the configuration that a deployment leads to. Nothing is changed yet. */
export function planOf(options: PlanOptions): Plan {
  const { present, resolved, document, atMs } = options;
  const configurations = new Map<string, Interior>();
  for (const [name, { recipe }] of resolved) {
    const now = present.find(["services", name, "configuration"]);
    const update = document.components[name]?.configurationUpdate;
    const node = now?.kind === "interior" ? now : undefined;
    const next = resolveConfiguration(node, recipe.configuration, update, atMs);
    touch(next, atMs);
    configurations.set(name, next);
  }
  const target = new ConfigurationTree();
  for (const component of resolved.values())
    target.put(["services", component.name], serviceOf(component, configurations, options));
  const reconfigured = new Map<string, JsonObject>();
  for (const [name, next] of configurations) {
    const before = present.get(["services", name, "configuration"]);
    const sameVersion = present.getText(["services", name, "version"]) === resolved.get(name)?.version;
    const proposed = toJson(next);
    const isGeneric = resolved.get(name)?.recipe.componentType === GENERIC;
    if (isGeneric && sameVersion && isObject(proposed) && !sameJson(before ?? {}, proposed))
      reconfigured.set(name, proposed);
  }
  const obsolete = Object.keys(present.getObject(["services"])).filter(
    (name) =>
      name !== NUCLEUS && !resolved.has(name) && present.find(["services", name, "version"]) !== undefined,
  );
  const bootstraps = [...resolved.keys()].filter((name) => needsBootstrap(present, target, name));
  const restartsNucleus = pluginChanges(present, target) || nucleusChanges(present, target);
  return { target, obsolete, reconfigured, bootstraps, restartsNucleus };
}

/** Everything that a deployment leaves in a configuration is as new as the deployment. */
function touch(node: Interior, atMs: Instant): void {
  for (const child of node.children.values())
    if (child.kind === "interior") touch(child, atMs);
    else child.modtime = Math.max(child.modtime, atMs);
}

function needsBootstrap(present: ConfigurationTree, target: ConfigurationTree, name: string): boolean {
  const next = definitionOf(target, name);
  if (next === undefined || !hasBootstrap(next)) return false;
  const now = definitionOf(present, name);
  if (now === undefined || now.version !== next.version) return true;
  return !sameJson(member(now.lifecycle, "Bootstrap"), member(next.lifecycle, "Bootstrap"));
}

function hasBootstrap({ steps: { steps, faults } }: Definition): boolean {
  return steps.bootstrap !== undefined || faults.bootstrap !== undefined;
}

/** A plugin goes or has another version. Token exchange is called one too, and is the nucleus's own. */
function pluginChanges(present: ConfigurationTree, target: ConfigurationTree): boolean {
  const versionIn = (tree: ConfigurationTree, name: string) => tree.getText(["services", name, "version"]);
  return Object.keys(present.getObject(["services"])).some(
    (name) =>
      name !== TOKEN_EXCHANGE &&
      present.getText(["services", name, "componentType"]) === PLUGIN &&
      versionIn(present, name) !== versionIn(target, name),
  );
}

/** What the nucleus reads only at its start. */
const readAtStart = [
  ["networkProxy"],
  ["runWithDefault", "posixUser"],
  ["runWithDefault", "posixShell"],
  ["mqtt", "version"],
  ["mqtt", "spooler", "storageType"],
  ["fipsMode"],
];

function nucleusChanges(present: ConfigurationTree, target: ConfigurationTree): boolean {
  if (target.find(["services", NUCLEUS]) === undefined) return false;
  return readAtStart.some((key) => {
    const path = ["services", NUCLEUS, "configuration", ...key];
    return !sameJson(present.get(path), target.get(path));
  });
}

function serviceOf(
  { name, version, recipe }: Resolved,
  configurations: ReadonlyMap<string, Interior>,
  { present, document, platform, rootPath, thingName, resolved, atMs: at }: PlanOptions,
): Interior {
  const selected = selectManifest(recipe, platform);
  if (selected === undefined)
    throw new DeploymentError(
      ["NO_AVAILABLE_COMPONENT_VERSION", "COMPONENT_VERSION_REQUIREMENTS_NOT_MET"],
      `${name} ${version} has no manifest for ${JSON.stringify(platform)}; add one for this platform`,
    );
  const versionOf = (component: string): string | undefined => resolved.get(component)?.version;
  const below = (folder: (name: string, version: string) => string) => (component: string) => {
    const its = versionOf(component);
    return its === undefined ? undefined : `${rootPath}/${folder(component, its)}`;
  };
  const context: InterpolationContext = {
    component: name,
    configuration: (component) => {
      const node = configurations.get(component);
      const value = node === undefined ? undefined : toJson(node);
      return isObject(value) ? value : undefined;
    },
    artifactsPath: below(artifactFolder),
    decompressedPath: below(unarchivedFolder),
    workPath: (component) => `${rootPath}/work/${component}`,
    kernelRootPath: rootPath,
    thingName,
    directDependencies: new Set(Object.keys(recipe.dependencies)),
  };
  const configuration = configurations.get(name);
  // The lifecycle may then name a value that is itself made of variables.
  if (configuration !== undefined && interpolatesConfiguration(present, configurations))
    interpolateLeaves(configuration, { ...context, configuration: () => undefined });
  const lifecycle = interpolated(selected.lifecycle, context);
  const old = present.find(["services", name]);
  const service = new ConfigurationTree();
  const previousVersion = present.getText(["services", name, "version"]);
  const fields: JsonObject = {
    version,
    componentType: recipe.componentType,
    dependencies: Object.entries(recipe.dependencies).map(([dependency, { dependencyType }]) =>
      dependencyType === "SOFT" ? `${dependency}:SOFT` : dependency,
    ),
  };
  if (previousVersion !== undefined && previousVersion !== version)
    fields["previousVersion"] = previousVersion;
  service.merge([], fields, at);
  service.merge(["lifecycle"], lifecycle, at);
  if (old?.kind === "interior")
    for (const kept of ["runWith", "runtime"]) {
      const node = old.children.get(kept.toLowerCase());
      if (node?.kind === "interior") service.put([kept], copyOf(node));
    }
  if (fields["previousVersion"] === undefined && previousVersion === version) {
    const before = present.getText(["services", name, "previousVersion"]);
    if (before !== undefined) service.merge(["previousVersion"], before, at);
  }
  runWith(service, document.components[name]?.runWith, at);
  if (configuration !== undefined) service.put(["configuration"], configuration);
  return service.root;
}

/** As the nucleus is told by this deployment, or was before it. */
function interpolatesConfiguration(
  present: ConfigurationTree,
  configurations: ReadonlyMap<string, Interior>,
): boolean {
  const nucleus = configurations.get(NUCLEUS);
  const next = nucleus === undefined ? present.get(["services", NUCLEUS, "configuration"]) : toJson(nucleus);
  const told = isObject(next) ? member(next, "interpolateComponentConfiguration") : undefined;
  return told === true || told === "true";
}

/** Variables of the system alone: one value of a configuration is not made of another. */
function interpolateLeaves(node: Interior, context: InterpolationContext): void {
  for (const child of node.children.values())
    if (child.kind === "interior") interpolateLeaves(child, context);
    else child.value = interpolated(child.value, context);
}

function interpolated(value: JsonValue, context: InterpolationContext): JsonValue {
  try {
    return interpolate(value, context);
  } catch (failure) {
    throw new DeploymentError(["CONFIG_INTERPOLATE_ERROR"], messageOf(failure));
  }
}

/** A field that is there with nothing in it is taken away; one that is not there stays. */
function runWith(
  service: ConfigurationTree,
  given: DeploymentDocument["components"][string]["runWith"],
  at: number,
): void {
  for (const [name, value] of Object.entries(given ?? {})) {
    const next: JsonValue | undefined = value;
    if (next === null || next === undefined) service.remove(["runWith", name], at);
    else service.merge(["runWith", name], next, at);
  }
}

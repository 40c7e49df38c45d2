import type { JsonObject, JsonValue, Log } from "@coalmine/ports";
import type { ConfigurationTree } from "../configuration/tree.ts";
import { isObject, member, parseJson } from "../json.ts";
import { resourcePattern, type Lookup } from "./resource-pattern.ts";

interface Permission {
  readonly service: string;
  readonly operations: ReadonlySet<string>;
  readonly resources: readonly string[];
}

/** Ours. A component that asks for ever new resources makes the others' decisions be thought through anew. */
const DECISIONS_MAX = 1000;

/** What components may do on IPC, by the `accessControl` of their own configuration. What is not allowed is denied. */
export class AccessControl {
  readonly #tree: ConfigurationTree;
  readonly #log: Log;
  /** By component; read again after a change under `accessControl`. */
  readonly #known = new Map<string, readonly Permission[]>();
  readonly #patterns = new Map<string, RegExp | undefined>();
  /**
   * By resource, operation and component, since an operation is of one service and looks up in one way: the same few are
   * asked for again and again. Forgotten with what they follow from.
   */
  readonly #decided = new Map<string, Map<string, Map<string, boolean>>>();

  constructor(tree: ConfigurationTree, log: Log) {
    this.#tree = tree;
    this.#log = log;
    tree.onChange(({ path: [top, component, branch, key] }) => {
      if (top?.toLowerCase() !== "services" || component === undefined) return;
      const isOther = branch !== undefined && branch.toLowerCase() !== "configuration";
      if (isOther || (key !== undefined && key.toLowerCase() !== "accesscontrol")) return;
      this.#known.delete(component.toLowerCase());
      this.#decided.clear();
    });
  }

  isAllowed(
    component: string,
    service: string,
    operation: string,
    resource: string,
    lookup: Lookup,
  ): boolean {
    const known = this.#decided.get(resource)?.get(operation)?.get(component);
    if (known !== undefined) return known;
    const decision = this.#permissions(component).some(
      (permission) =>
        permission.service === service &&
        (permission.operations.has("*") || permission.operations.has(`aws.greengrass#${operation}`)) &&
        permission.resources.some((allowed) => this.#pattern(allowed, lookup)?.test(resource) === true),
    );
    if (this.#decided.size >= DECISIONS_MAX) this.#decided.clear();
    const ofResource = this.#decided.get(resource) ?? new Map<string, Map<string, boolean>>();
    const ofOperation = ofResource.get(operation) ?? new Map<string, boolean>();
    this.#decided.set(resource, ofResource.set(operation, ofOperation.set(component, decision)));
    return decision;
  }

  #permissions(component: string): readonly Permission[] {
    const key = component.toLowerCase();
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const read = this.#read(component);
    this.#known.set(key, read);
    return read;
  }

  #read(component: string): readonly Permission[] {
    const written = this.#tree.get(["services", component, "configuration", "accessControl"]);
    const services = typeof written === "string" ? parseJson(written) : written;
    if (!isObject(services)) return [];
    return Object.entries(services).flatMap(([service, policies]) => {
      if (!isObject(policies)) return [];
      if (Object.keys(policies).includes("")) {
        this.#log.warn("access control not loaded: a policy has no id", { component, service });
        return [];
      }
      return Object.values(policies).flatMap((policy) => permissionsOf(service, policy));
    });
  }

  #pattern(resource: string, lookup: Lookup): RegExp | undefined {
    const key = `${lookup} ${resource}`;
    if (!this.#patterns.has(key)) this.#patterns.set(key, resourcePattern(resource, lookup));
    return this.#patterns.get(key);
  }
}

function permissionsOf(service: string, policy: JsonValue | undefined): Permission[] {
  if (!isObject(policy)) return [];
  const operations = texts(policy, "operations");
  const resources = texts(policy, "resources");
  return operations.length === 0 ? [] : [{ service, operations: new Set(operations), resources }];
}

function texts(object: JsonObject, name: string): string[] {
  const value = member(object, name);
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

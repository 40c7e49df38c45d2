import type { Instant, JsonObject, JsonValue } from "@coalmine/ports";
import { isObject, sameJson } from "../json.ts";

/** A value with the time it was written, or a container of named nodes. Names are compared without case. */
export type Node = Leaf | Interior;
export interface Leaf {
  readonly kind: "leaf";
  readonly name: string;
  value: JsonValue;
  modtime: Instant;
}
export interface Interior {
  readonly kind: "interior";
  readonly name: string;
  /** By lower-case name. */
  readonly children: Map<string, Node>;
  /** When it was made; `modtimeOf` gives what counts. */
  readonly made: Instant;
}

export interface Change {
  readonly kind: "changed" | "removed" | "timestampUpdated" | "interiorAdded";
  readonly path: readonly string[];
  readonly value?: JsonValue;
  readonly timestamp: Instant;
}

export function interior(name: string, made: Instant = 0): Interior {
  return { kind: "interior", name, children: new Map(), made };
}

/** A container is as new as its newest child. */
export function modtimeOf(node: Node): Instant {
  if (node.kind === "leaf") return node.modtime;
  let newest = node.children.size === 0 ? node.made : 0;
  for (const child of node.children.values()) newest = Math.max(newest, modtimeOf(child));
  return newest;
}

export function toJson(node: Node): JsonValue {
  if (node.kind === "leaf") return node.value;
  const object: JsonObject = {};
  for (const child of node.children.values()) object[child.name] = toJson(child);
  return object;
}

export function copyOf(node: Interior): Interior {
  const copy = interior(node.name, node.made);
  for (const [key, child] of node.children)
    copy.children.set(key, child.kind === "leaf" ? { ...child } : copyOf(child));
  return copy;
}

/**
 * The device's configuration: the nucleus's tree of timestamped leaves. A newer or equally old write wins, an older one
 * is passed over without a word. Listeners hear each change after it was made, in order.
 */
export class ConfigurationTree {
  readonly root: Interior;
  readonly #listeners = new Set<(change: Change) => void>();

  constructor(root: Interior = interior("")) {
    this.root = root;
  }

  onChange(listener: (change: Change) => void): { close(): void } {
    this.#listeners.add(listener);
    return { close: () => this.#listeners.delete(listener) };
  }

  find(path: readonly string[]): Node | undefined {
    let node: Node | undefined = this.root;
    for (const name of path) {
      if (node?.kind !== "interior") return undefined;
      node = node.children.get(name.toLowerCase());
    }
    return node;
  }

  get(path: readonly string[]): JsonValue | undefined {
    const node = this.find(path);
    return node === undefined ? undefined : toJson(node);
  }

  getObject(path: readonly string[]): JsonObject {
    const value = this.get(path);
    return isObject(value) ? value : {};
  }

  getText(path: readonly string[]): string | undefined {
    const value = this.get(path);
    return typeof value === "string" ? value : undefined;
  }

  getNumber(path: readonly string[]): number | undefined {
    const value = this.get(path);
    return typeof value === "number" ? value : undefined;
  }

  /** Writes one leaf, or merges an object below `path`. */
  merge(path: readonly string[], value: JsonValue, timestamp: Instant): void {
    if (!isObject(value)) {
      this.#write(path, value, timestamp, false);
      return;
    }
    if (path.length > 0 && !this.#container(path, timestamp)) return;
    for (const [name, child] of Object.entries(value)) this.merge([...path, name], child, timestamp);
  }

  /** As `merge`, for what the device itself keeps here: it counts, also where the clock was set back since. */
  set(path: readonly string[], value: JsonValue, now: Instant): void {
    const present = this.find(path);
    this.merge(path, value, present === undefined ? now : Math.max(now, modtimeOf(present)));
  }

  /** Makes the container at `path` exactly `wanted`, timestamps included, whatever is there now. */
  put(path: readonly string[], wanted: Interior): void {
    const here = this.#container(path, wanted.made, true);
    if (!here) return;
    const present = this.find(path);
    if (present?.kind !== "interior") return;
    for (const [key, child] of present.children)
      if (!wanted.children.has(key)) this.remove([...path, child.name], wanted.made);
    for (const child of wanted.children.values()) {
      if (child.kind === "interior") this.put([...path, child.name], child);
      else this.#write([...path, child.name], child.value, child.modtime, true);
    }
  }

  /** As `put`, but a value that is newer here than the wanted one stays. */
  replace(path: readonly string[], wanted: Interior): void {
    this.#container(path, wanted.made, true);
    const present = this.find(path);
    if (present?.kind !== "interior") return;
    for (const [key, child] of present.children)
      // What turns from a value into a container, or back, is made anew, however old it is.
      if (wanted.children.get(key)?.kind !== child.kind) this.remove([...path, child.name], wanted.made);
    for (const child of wanted.children.values()) {
      if (child.kind === "interior") this.replace([...path, child.name], child);
      else this.#write([...path, child.name], child.value, child.modtime, false);
    }
  }

  remove(path: readonly string[], timestamp: Instant): void {
    const parent = this.find(path.slice(0, -1));
    const key = path.at(-1)?.toLowerCase();
    if (parent?.kind !== "interior" || key === undefined || !parent.children.delete(key)) return;
    this.#tell({ kind: "removed", path, timestamp });
  }

  /** Does again what a listener once heard: the time decides nothing. */
  replay(change: Change): void {
    if (change.kind === "removed") this.remove(change.path, change.timestamp);
    else if (change.kind === "interiorAdded") this.#container(change.path, change.timestamp, true);
    else if (change.kind === "changed")
      this.#write(change.path, change.value ?? null, change.timestamp, true);
    else {
      const node = this.find(change.path);
      if (node?.kind === "leaf") this.#write(change.path, node.value, change.timestamp, true);
    }
  }

  /** False where a leaf newer than `timestamp` stands in the way. */
  #container(path: readonly string[], timestamp: Instant, force = false): boolean {
    let here = this.root;
    for (const [depth, name] of path.entries()) {
      const key = name.toLowerCase();
      let next = here.children.get(key);
      if (next?.kind === "leaf") {
        if (!force && next.modtime > timestamp) return false;
        next = undefined;
      }
      if (next === undefined) {
        next = interior(name, timestamp);
        here.children.set(key, next);
        this.#tell({ kind: "interiorAdded", path: path.slice(0, depth + 1), timestamp });
      }
      here = next;
    }
    return true;
  }

  #write(path: readonly string[], value: JsonValue, timestamp: Instant, force: boolean): void {
    const name = path.at(-1);
    if (name === undefined || !this.#container(path.slice(0, -1), timestamp, force)) return;
    const parent = this.find(path.slice(0, -1));
    if (parent?.kind !== "interior") return;
    const present = parent.children.get(name.toLowerCase());
    if (present?.kind === "leaf" && sameJson(present.value, value)) {
      if (force ? timestamp === present.modtime : timestamp <= present.modtime) return;
      present.modtime = timestamp;
      this.#tell({ kind: "timestampUpdated", path, timestamp });
      return;
    }
    if (present !== undefined && !force && timestamp < modtimeOf(present)) return;
    parent.children.set(name.toLowerCase(), {
      kind: "leaf",
      name: present?.name ?? name,
      value,
      modtime: timestamp,
    });
    this.#tell({ kind: "changed", path, value, timestamp });
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }
}

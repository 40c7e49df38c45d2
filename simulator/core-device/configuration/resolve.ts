import type { Instant, JsonObject, JsonValue } from "@coalmine/ports";
import { ConfigurationTree, copyOf, interior, type Interior } from "./tree.ts";

/** Recipe defaults are this old, so that they fill what is missing and change nothing that is there. */
export const DEFAULTS_TIMESTAMP = 1;

export interface ConfigurationUpdate {
  readonly reset?: readonly string[] | undefined;
  readonly merge?: JsonObject | undefined;
}

/**
 * A component's next configuration: RESET on a copy of the present one, then the recipe's defaults where something is
 * missing, then MERGE at the deployment's time.
 */
export function resolveConfiguration(
  present: Interior | undefined,
  defaults: JsonObject,
  update: ConfigurationUpdate | undefined,
  timestamp: Instant,
): Interior {
  const next = new ConfigurationTree(
    present === undefined ? interior("configuration", DEFAULTS_TIMESTAMP) : copyOf(present),
  );
  const reset = update?.reset ?? [];
  if (reset.includes("")) next.root.children.clear();
  else for (const pointer of reset) removeAt(next, pointer);
  fill(next, [], defaults);
  if (update?.merge !== undefined) next.merge([], update.merge, timestamp);
  return next.root;
}

function removeAt(tree: ConfigurationTree, pointer: string): void {
  const path = pointerPath(pointer);
  // The nucleus takes a numeric segment for an index into an array and leaves such pointers alone.
  if (path === undefined || path.some((segment) => /^\d+$/.test(segment))) return;
  tree.remove(path, DEFAULTS_TIMESTAMP);
}

function fill(tree: ConfigurationTree, path: readonly string[], value: JsonValue): void {
  const present = path.length === 0 ? tree.root : tree.find(path);
  if (present === undefined) {
    tree.merge(path, value, DEFAULTS_TIMESTAMP);
    return;
  }
  if (present.kind === "leaf" || typeof value !== "object" || value === null || Array.isArray(value)) return;
  for (const [name, child] of Object.entries(value)) fill(tree, [...path, name], child);
}

/** The segments of a JSON pointer; undefined where it is none. */
export function pointerPath(pointer: string): readonly string[] | undefined {
  if (pointer === "") return [];
  if (!pointer.startsWith("/")) return undefined;
  return pointer
    .slice(1)
    .split("/")
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));
}

import type { JsonObject, JsonValue } from "@coalmine/ports";
import { IpcRefusal } from "./ipc-error.ts";

/**
 * The value at `keyPath`, by `GetConfiguration`'s answers. The answer for a leaf is an object with the leaf's name as
 * its one key, which a container may be as well; where it can be either, the container above tells.
 */
export async function configurationValue(
  keyPath: readonly string[],
  getConfiguration: (keyPath: readonly string[]) => Promise<JsonValue>,
): Promise<JsonValue> {
  const value = await getConfiguration(keyPath);
  const last = keyPath.at(-1);
  if (last === undefined || !isWrapped(value, last)) return value;
  const above = await getConfiguration(keyPath.slice(0, -1));
  const member = isObject(above) ? memberOf(above, last) : undefined;
  if (member === undefined)
    throw new IpcRefusal("ResourceNotFoundError", `GetConfiguration: ${keyPath.join("/")} was just removed`);
  return member;
}

function isWrapped(value: JsonValue, key: string): boolean {
  if (!isObject(value)) return false;
  const keys = Object.keys(value);
  return keys.length === 1 && keys[0]?.toLowerCase() === key.toLowerCase();
}

/** Keys of the configuration are looked up without regard to case. */
function memberOf(container: JsonObject, key: string): JsonValue | undefined {
  const found = Object.keys(container).find((name) => name.toLowerCase() === key.toLowerCase());
  return found === undefined ? undefined : container[found];
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

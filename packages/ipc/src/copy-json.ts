import type { JsonObject, JsonValue } from "@coalmine/ports";

/**
 * A copy as a trip over the wire makes it: nothing is shared, absent members are gone, numbers that JSON does not have
 * are null. Several times faster than writing and reading the text.
 */
export function copyJson(value: JsonObject): JsonObject;
export function copyJson(value: JsonValue): JsonValue;
export function copyJson(value: JsonValue): JsonValue {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item: JsonValue | undefined) => copyJson(item ?? null));
  const copy: JsonObject = {};
  for (const key of Object.keys(value)) {
    const member: JsonValue | undefined = value[key];
    if (member === undefined) continue;
    if (key === "__proto__")
      Object.defineProperty(copy, key, { value: copyJson(member), enumerable: true, writable: true });
    else copy[key] = copyJson(member);
  }
  return copy;
}

import type { JsonObject, JsonValue } from "@coalmine/ports";

/**
 * A copy as a trip over the wire makes it: nothing is shared, what JSON does not have is absent or null, and what it
 * refuses (a bigint, a circle) throws. Several times faster than writing and reading the text.
 */
export function copyJson(value: object): JsonObject {
  const copy = copyMember(value, 0);
  if (typeof copy === "object" && copy !== null && !Array.isArray(copy)) return copy;
  throw new TypeError("cannot send it as JSON: it is no object");
}

/** Deeper than this is a circle, or nothing that a service would take. */
const DEPTH_MAX = 1000;

function copyMember(value: unknown, depth: number): JsonValue | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return isPlain(value) ? value : value === 0 ? 0 : null;
    case "bigint":
      throw new TypeError(`cannot send it as JSON: ${value} is a bigint; send a number or a text`);
    case "undefined":
    case "function":
    case "symbol":
      return undefined;
    case "object":
      break;
  }
  if (!isRecord(value)) return null;
  if (depth > DEPTH_MAX) throw new TypeError(`cannot send it as JSON: it is deeper than ${DEPTH_MAX} levels`);
  if (Array.isArray(value)) return copyList(value, depth + 1);
  const { toJSON } = value;
  if (typeof toJSON === "function") {
    const told: unknown = toJSON.call(value);
    return copyMember(told, depth + 1);
  }
  // Texts and most numbers are copied by the spread, many times faster than one by one: of a fleet's time this has been
  // several per cent. A key that is a symbol comes along; nobody who reads JSON meets it.
  const copy: Record<string, unknown> = { ...value };
  for (const key in copy) {
    const member = copy[key];
    if (typeof member === "string" || (typeof member === "number" && isPlain(member))) continue;
    const copied = copyMember(member, depth + 1);
    if (copied === undefined) delete copy[key];
    else copy[key] = copied;
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every member was looked at
  return copy as JsonObject;
}

/** JSON has no minus zero, and nothing that is not finite. */
function isPlain(value: number): boolean {
  return Number.isFinite(value) && !Object.is(value, -0);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** Holes are null as well. */
function copyList(list: readonly unknown[], depth: number): JsonValue[] {
  const copy: JsonValue[] = [];
  for (let index = 0; index < list.length; index++) copy.push(copyMember(list[index], depth) ?? null);
  return copy;
}

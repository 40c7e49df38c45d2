import { ServiceError } from "../service.ts";
import type { Member, Shape, TimestampFormat } from "./schema.ts";

/** Deeper JSON is refused before it is parsed: recursion over it must end well before the stack does. */
export const JSON_DEPTH_MAX = 64;

/** What a door finds wrong with a value: the shape of it, or a member that must be there. */
export class ShapeError extends Error {
  readonly kind: "serialization" | "missing-member";
  constructor(kind: "serialization" | "missing-member", message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Parses JSON text that came over a network. Empty text is an empty object, as AWS takes it. */
export function parseJsonBody(text: string): unknown {
  if (text.trim() === "") return {};
  if (depthOf(text) > JSON_DEPTH_MAX)
    throw new ShapeError("serialization", `The JSON is nested deeper than ${JSON_DEPTH_MAX} levels.`);
  try {
    const parsed: unknown = JSON.parse(text);
    return parsed;
  } catch {
    throw new ShapeError("serialization", "The request body is not valid JSON.");
  }
}

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (inString) {
      if (code === 0x5c) index++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (code === 0x7d || code === 0x5d) depth--;
  }
  return deepest;
}

/** A JSON value as the SDK's own types have it: timestamps become `Date`, blobs become bytes. */
export function fromJson(shape: Shape, json: unknown, path = ""): unknown {
  if (json === null || json === undefined) return undefined;
  switch (shape.kind) {
    case "document":
      return json;
    case "structure": {
      const value = structFromJson(shape, json, path, shape.members);
      requireMembers(shape, value, path);
      return value;
    }
    case "list": {
      if (!Array.isArray(json)) throw mismatch(path, "a list");
      const { item } = shape;
      return json.map((value, index) => fromJson(item, value, `${path}.${index + 1}.member`) ?? null);
    }
    case "map": {
      if (!isObject(json)) throw mismatch(path, "a map");
      const { item } = shape;
      return Object.fromEntries(
        Object.entries(json).map(([key, value]) => [key, fromJson(item, value, `${path}.${key}.member`)]),
      );
    }
    case "timestamp":
      return timestampFromJson(json, path);
    case "blob":
      if (typeof json !== "string") throw mismatch(path, "base64 text");
      return Uint8Array.from(Buffer.from(json, "base64"));
    case "number":
      return numberFromJson(json, path);
    case "boolean":
      if (typeof json !== "boolean") throw mismatch(path, "a boolean");
      return json;
    case "string":
      break;
  }
  if (typeof json !== "string") throw mismatch(path, "a string");
  return json;
}

/** The members that travel in the body, or those given. */
export function structFromJson(
  shape: Shape,
  json: unknown,
  path: string,
  members: readonly Member[],
): Record<string, unknown> {
  if (!isObject(json)) throw mismatch(path === "" ? (shape.name ?? "the body") : path, "a structure");
  const value: Record<string, unknown> = {};
  for (const { name, jsonName, shape: member } of members) {
    if (!Object.hasOwn(json, jsonName)) continue;
    const parsed = fromJson(member, json[jsonName], path === "" ? name : `${path}.${name}`);
    if (parsed !== undefined) value[name] = parsed;
  }
  return value;
}

/** @throws ShapeError with the sentence AWS sends. */
export function requireMembers(shape: Shape, value: Readonly<Record<string, unknown>>, path = ""): void {
  for (const name of shape.required)
    if (value[name] === undefined)
      throw new ShapeError(
        "missing-member",
        `1 validation error detected: Value null at '${path === "" ? name : `${path}.${name}`}' failed to satisfy constraint: Member must not be null`,
      );
}

function numberFromJson(json: unknown, path: string): number {
  const number =
    typeof json === "string" && /^(NaN|-?Infinity|-?\d+(\.\d+)?)$/.test(json) ? Number(json) : json;
  if (typeof number !== "number") throw mismatch(path, "a number");
  return number;
}

function timestampFromJson(json: unknown, path: string): Date {
  const date =
    typeof json === "number" ? new Date(json * 1000) : typeof json === "string" ? new Date(json) : undefined;
  if (date === undefined || Number.isNaN(date.getTime())) throw mismatch(path, "a timestamp");
  return date;
}

/** The reverse: what a service answered, as JSON of the schema. Members that the schema lacks are left out. */
export function toJson(shape: Shape, value: unknown): unknown {
  if (value === undefined || value === null) return undefined;
  switch (shape.kind) {
    case "structure":
      return isObject(value) ? structToJson(value, shape.members) : undefined;
    case "list": {
      const { item } = shape;
      return Array.isArray(value) ? value.map((one) => toJson(item, one) ?? null) : undefined;
    }
    case "map": {
      const { item } = shape;
      return isObject(value)
        ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, toJson(item, one)]))
        : undefined;
    }
    case "timestamp":
      return timestampToJson(value, shape.timestampFormat);
    case "blob":
      return bytesOf(value).toString("base64");
    case "document":
    case "number":
    case "boolean":
    case "string":
      break;
  }
  return value;
}

export function structToJson(
  value: Readonly<Record<string, unknown>>,
  members: readonly Member[],
): Record<string, unknown> {
  const json: Record<string, unknown> = {};
  for (const { name, jsonName, shape } of members) {
    const item = toJson(shape, value[name]);
    if (item !== undefined) json[jsonName] = item;
  }
  return json;
}

/** Services answer with `Date`s or with milliseconds, which is how they store them. */
function timestampToJson(value: unknown, format: TimestampFormat): number | string {
  const ms = value instanceof Date ? value.getTime() : typeof value === "number" ? value : Number.NaN;
  if (Number.isNaN(ms))
    throw new ServiceError("InternalFailure", 500, "A service answered with a bad timestamp.");
  if (format === "date-time") return new Date(ms).toISOString();
  if (format === "http-date") return new Date(ms).toUTCString();
  return ms / 1000;
}

export function bytesOf(value: unknown): Buffer {
  if (typeof value === "string") return Buffer.from(value, "utf8");
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  throw new ServiceError("InternalFailure", 500, "A service answered with a blob that is not bytes.");
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function mismatch(path: string, wanted: string): ShapeError {
  return new ShapeError("serialization", `The value at '${path}' is not ${wanted}.`);
}

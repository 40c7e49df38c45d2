import { parseJsonBody } from "../../protocol/json-shape.ts";
import { limits } from "../limits.ts";

/** A value of the rules' SQL: JSON, bytes where the payload is not JSON, and Undefined as `undefined`. */
export type SqlValue =
  | undefined
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly SqlValue[]
  | { readonly [key: string]: SqlValue };
export type SqlObject = { readonly [key: string]: SqlValue };

export function isSqlObject(value: SqlValue): value is SqlObject {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}

export function isSqlArray(value: SqlValue): value is readonly SqlValue[] {
  return Array.isArray(value);
}

/** A key of its own; what every object inherits is not there. */
export function ownMember(value: SqlObject, key: string): SqlValue {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

/** The payload of a message: JSON where it is JSON, and not too deep to walk through, else its bytes. */
export function payloadValue(payload: Uint8Array): SqlValue {
  if (payload.length === 0) return payload;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(payload);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a JSON parser gives is JSON.
    return parseJsonBody(text) as SqlValue;
  } catch {
    return payload;
  }
}

/** To Decimal; Undefined for what is no number. @see https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-data-types.html */
export function toNumber(value: SqlValue): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "string" || !/^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value))
    return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

/** To Boolean: `"true"` and `"false"` in any case count. */
export function toBoolean(value: SqlValue): boolean | undefined {
  if (typeof value === "boolean") return value;
  const text = typeof value === "string" ? value.toLowerCase() : "";
  return text === "true" ? true : text === "false" ? false : undefined;
}

/** To String, as `+` and `concat` convert. */
export function toText(value: SqlValue): string {
  if (value === undefined) return "Undefined";
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("utf8");
  return JSON.stringify(value);
}

/** A text that expressions made; Undefined where it outgrew the payload that AWS IoT carries. */
export function boundedText(text: string): SqlValue {
  return text.length > limits.textCharactersMax ? undefined : text;
}

/** Same type and same content; the order of keys is not looked at. */
export function areEqual(a: SqlValue, b: SqlValue): boolean {
  if (isSqlArray(a) && isSqlArray(b))
    return a.length === b.length && a.every((item, at) => areEqual(item, b[at]));
  if (isSqlObject(a) && isSqlObject(b)) {
    const keys = Object.keys(a);
    return (
      keys.length === Object.keys(b).length &&
      keys.every((key) => Object.hasOwn(b, key) && areEqual(a[key], b[key]))
    );
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  return a === b;
}

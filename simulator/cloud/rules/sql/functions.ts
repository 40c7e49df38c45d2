import { createHash } from "node:crypto";
import type { Instant } from "@coalmine/ports";
import { limits } from "../limits.ts";
import { dateText, dateValue } from "./date-pattern.ts";
import { boundedText, isSqlArray, isSqlObject, toNumber, toText, ownMember, type SqlValue } from "./value.ts";

/** What the functions know of the message and of who runs the rule. */
export interface MessageContext {
  readonly topic: string;
  /** Undefined where the message did not come over MQTT. */
  readonly clientId: string | undefined;
  readonly principal: string | undefined;
  readonly accountId: string;
  readonly sqlVersion: string;
  readonly at: Instant;
  readonly traceId: string;
  readonly newUuid: () => string;
}

export interface SqlFunction {
  readonly least: number;
  readonly most: number;
  /** What it cannot work with gives Undefined. It throws nothing. */
  readonly run: (args: readonly SqlValue[], context: MessageContext) => SqlValue;
}

/**
 * The functions by their names in lower case.
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-functions.html
 */
export const functions: ReadonlyMap<string, SqlFunction> = new Map<string, SqlFunction>([
  // The message.
  ["topic", { least: 0, most: 1, run: ([level], { topic }) => levelOf(topic, level) }],
  ["clientid", { least: 0, most: 0, run: (_args, { clientId }) => clientId ?? "n/a" }],
  ["principal", { least: 0, most: 0, run: (_args, { principal }) => principal }],
  ["timestamp", { least: 0, most: 0, run: (_args, { at }) => at }],
  ["traceid", { least: 0, most: 0, run: (_args, { clientId, traceId }) => clientId && traceId }],
  ["accountid", { least: 0, most: 0, run: (_args, { accountId }) => accountId }],
  ["sql_version", { least: 0, most: 0, run: (_args, { sqlVersion }) => sqlVersion }],
  ["newuuid", { least: 0, most: 0, run: (_args, { newUuid }) => newUuid() }],
  // Values.
  ["isundefined", { least: 1, most: 1, run: ([value]) => value === undefined }],
  ["isnull", { least: 1, most: 1, run: ([value]) => value === null }],
  ["get", { least: 2, most: 2, run: ([value, key]) => memberOf(value, key) }],
  ["get_or_default", { least: 2, most: 2, run: ([value, other]) => (value === undefined ? other : value) }],
  ["encode", { least: 2, most: 2, run: ([value, scheme]) => encoded(value, scheme) }],
  ["decode", { least: 2, most: 2, run: ([value, scheme]) => decoded(value, scheme) }],
  ["parse_time", { least: 2, most: 3, run: ([form, at, zone]) => dateText(form, at, zone) }],
  ["time_to_epoch", { least: 2, most: 2, run: ([text, form]) => dateValue(text, form) }],
  // Text.
  ["concat", { least: 1, most: 100, run: concat }],
  ["length", text((value) => value.length)],
  ["numbytes", text((value) => Buffer.byteLength(value, "utf8"))],
  ["lower", text((value) => value.toLowerCase())],
  ["upper", text((value) => value.toUpperCase())],
  ["trim", text((value) => value.trim())],
  ["ltrim", text((value) => value.trimStart())],
  ["rtrim", text((value) => value.trimEnd())],
  ["startswith", twoTexts((value, start) => value.startsWith(start))],
  ["endswith", twoTexts((value, end) => value.endsWith(end))],
  ["indexof", twoTexts((value, part) => value.indexOf(part))],
  ["replace", { least: 3, most: 3, run: replaced }],
  ["substring", { least: 2, most: 3, run: substring }],
  ["lpad", { least: 2, most: 2, run: ([value, count]) => padded(value, count, (one, by) => by + one) }],
  ["rpad", { least: 2, most: 2, run: ([value, count]) => padded(value, count, (one, by) => one + by) }],
  ["chr", { least: 1, most: 1, run: ([code]) => character(code) }],
  ...["md5", "sha1", "sha224", "sha256", "sha384", "sha512"].map(
    (name) => [name, text((value) => createHash(name).update(value, "utf8").digest("hex"))] as const,
  ),
  // Numbers.
  ["abs", number(Math.abs)],
  ["ceil", number(Math.ceil)],
  ["floor", number(Math.floor)],
  ["round", number(Math.round)],
  ["sign", number(Math.sign)],
  ["sqrt", number(Math.sqrt)],
  ["exp", number(Math.exp)],
  ["ln", number(Math.log)],
  ["log", number(Math.log10)],
  ["power", twoNumbers((base, exponent) => base ** exponent)],
  ["mod", twoNumbers((value, by) => value % by)],
  ["remainder", twoNumbers((value, by) => value - by * Math.round(value / by))],
  ["trunc", twoNumbers((value, digits) => Math.trunc(value * 10 ** digits) / 10 ** digits)],
]);

function finite(value: number): SqlValue {
  return Number.isFinite(value) ? value : undefined;
}

function number(of: (value: number) => number): SqlFunction {
  return {
    least: 1,
    most: 1,
    run: ([given]) => {
      const value = toNumber(given);
      return value === undefined ? undefined : finite(of(value));
    },
  };
}

function twoNumbers(of: (a: number, b: number) => number): SqlFunction {
  return {
    least: 2,
    most: 2,
    run: ([first, second]) => {
      const a = toNumber(first);
      const b = toNumber(second);
      return a === undefined || b === undefined ? undefined : finite(of(a, b));
    },
  };
}

/** Null and Undefined are not made to text; whatever else is. */
function given(value: SqlValue): string | undefined {
  return value === undefined || value === null ? undefined : toText(value);
}

function text(of: (value: string) => SqlValue): SqlFunction {
  return {
    least: 1,
    most: 1,
    run: ([first]) => {
      const value = given(first);
      return value === undefined ? undefined : of(value);
    },
  };
}

function twoTexts(of: (a: string, b: string) => SqlValue): SqlFunction {
  return {
    least: 2,
    most: 2,
    run: ([first, second]) => {
      const a = given(first);
      const b = given(second);
      return a === undefined || b === undefined ? undefined : of(a, b);
    },
  };
}

function concat(args: readonly SqlValue[]): SqlValue {
  if (args.some((value) => value === undefined)) return undefined;
  if (args.some(isSqlArray)) return args.flatMap((value) => (isSqlArray(value) ? [...value] : [value]));
  return boundedText(args.map(toText).join(""));
}

function replaced([value, part, by]: readonly SqlValue[]): SqlValue {
  const [whole, from, to] = [given(value), given(part), given(by)];
  if (whole === undefined || from === undefined || to === undefined || from === "") return undefined;
  const parts = whole.split(from);
  const characters = whole.length + (parts.length - 1) * (to.length - from.length);
  return characters > limits.textCharactersMax ? undefined : parts.join(to);
}

function substring([value, start, end]: readonly SqlValue[]): SqlValue {
  const whole = given(value);
  const from = toNumber(start);
  const to = end === undefined ? whole?.length : toNumber(end);
  return whole === undefined || from === undefined || to === undefined
    ? undefined
    : whole.slice(Math.max(0, from), Math.max(0, to));
}

function padded(value: SqlValue, count: SqlValue, join: (value: string, by: string) => string): SqlValue {
  const whole = given(value);
  const spaces = toNumber(count);
  if (whole === undefined || spaces === undefined) return undefined;
  return join(whole, " ".repeat(Math.min(1000, Math.max(0, Math.trunc(spaces)))));
}

function character(code: SqlValue): SqlValue {
  const point = toNumber(code);
  return point === undefined || !Number.isInteger(point) || point < 0 || point > 0x10_ffff
    ? undefined
    : String.fromCodePoint(point);
}

/** One level of the topic, counted from 1. */
function levelOf(topic: string, level: SqlValue): SqlValue {
  if (level === undefined) return topic;
  const number = toNumber(level);
  return number === undefined ? undefined : topic.split("/")[number - 1];
}

/** A key of an object, a place in a list, a character of a text. */
function memberOf(value: SqlValue, key: SqlValue): SqlValue {
  if (isSqlObject(value)) return ownMember(value, toText(key));
  const at = toNumber(key);
  if (at === undefined || at < 0) return undefined;
  if (isSqlArray(value)) return value[at];
  return typeof value === "string" ? value[at] : undefined;
}

function encoded(value: SqlValue, scheme: SqlValue): SqlValue {
  if (scheme !== "base64" || value === undefined) return undefined;
  const bytes = value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(toText(value), "utf8");
  return boundedText(bytes.toString("base64"));
}

function decoded(value: SqlValue, scheme: SqlValue): SqlValue {
  if (scheme !== "base64" || typeof value !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(value))
    return undefined;
  const bytes = Buffer.from(value, "base64");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return bytes;
  }
}

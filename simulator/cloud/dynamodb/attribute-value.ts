import * as z from "zod";
import { compareDecimals, readDecimal, writeDecimal } from "./decimal.ts";
import { invalid } from "./invalid.ts";

/** A DynamoDB value as the SDK has it, stored with bytes as base64 so that it is JSON. */
export type AttributeValue =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly B: string }
  | { readonly BOOL: boolean }
  | { readonly NULL: true }
  | { readonly SS: readonly string[] }
  | { readonly NS: readonly string[] }
  | { readonly BS: readonly string[] }
  | { readonly L: readonly AttributeValue[] }
  | { readonly M: Readonly<Record<string, AttributeValue>> };
export type Item = Readonly<Record<string, AttributeValue>>;

/** What most numbers are: they need no arithmetic to be in the one spelling. */
const whole = /^-?[1-9]\d{0,14}$|^0$/;
const bytes = z.instanceof(Uint8Array).transform((value) => Buffer.from(value).toString("base64"));
const unique = (values: readonly string[]): boolean => new Set(values).size === values.length;
const numberText = z.string().max(200).transform(plainNumber);

/** How deep lists and maps may lie in each other; the service's own limit is 32. */
const DEPTH_MAX = 32;

const Value: z.ZodType<AttributeValue> = z.lazy(() =>
  z.union([
    z.strictObject({ S: z.string() }),
    z.strictObject({ N: numberText }),
    z.strictObject({ B: bytes }),
    z.strictObject({ BOOL: z.boolean() }),
    z.strictObject({ NULL: z.literal(true) }),
    z.strictObject({ SS: z.array(z.string()).min(1).refine(unique) }),
    z.strictObject({ NS: z.array(numberText).min(1).refine(unique) }),
    z.strictObject({ BS: z.array(bytes).min(1).refine(unique) }),
    z.strictObject({ L: z.array(Value) }),
    z.strictObject({ M: z.record(z.string(), Value) }),
  ]),
);

export function readValue(given: unknown): AttributeValue {
  // What most values are, without trying ten schemas.
  if (isText(given)) return given;
  const read = Value.safeParse(given);
  if (!read.success || depthOf(read.data) > DEPTH_MAX)
    throw invalid(
      "Supplied AttributeValue is not valid: it must have exactly one of the supported datatypes",
    );
  return read.data;
}

function isText(given: unknown): given is { readonly S: string } {
  return (
    typeof given === "object" &&
    given !== null &&
    "S" in given &&
    typeof given.S === "string" &&
    Object.keys(given).length === 1
  );
}

export function readItem(given: unknown): Item {
  return Object.fromEntries(Object.entries(given ?? {}).map(([name, value]) => [name, readValue(value)]));
}

/** Back to what the SDK has. */
export function writeValue(value: AttributeValue): object {
  if ("B" in value) return { B: Buffer.from(value.B, "base64") };
  if ("BS" in value) return { BS: value.BS.map((one) => Buffer.from(one, "base64")) };
  if ("L" in value) return { L: value.L.map(writeValue) };
  if ("M" in value) return { M: writeItem(value.M) };
  return value;
}

export function writeItem(item: Item): Record<string, object> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, writeValue(value)]));
}

/** Order within a type: numbers by size, text and bytes by their bytes. Undefined where there is none. */
export function compareValues(a: AttributeValue, b: AttributeValue): number | undefined {
  // What doubles tell apart is in that order; DynamoDB's 38 digits can tell more.
  if ("N" in a && "N" in b)
    return Math.sign(Number(a.N) - Number(b.N)) || compareDecimals(readDecimal(a.N), readDecimal(b.N));
  if ("S" in a && "S" in b) return Buffer.compare(Buffer.from(a.S, "utf8"), Buffer.from(b.S, "utf8"));
  if ("B" in a && "B" in b) return Buffer.compare(Buffer.from(a.B, "base64"), Buffer.from(b.B, "base64"));
  return undefined;
}

export function equalValues(a: AttributeValue, b: AttributeValue): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: AttributeValue): string {
  if ("SS" in value) return JSON.stringify({ SS: [...value.SS].sort() });
  if ("NS" in value) return JSON.stringify({ NS: [...value.NS].sort() });
  if ("BS" in value) return JSON.stringify({ BS: [...value.BS].sort() });
  if ("L" in value) return `L[${value.L.map(canonical).join()}]`;
  if ("M" in value)
    return `M{${Object.entries(value.M)
      .sort(([x], [y]) => (x < y ? -1 : 1))
      .map(([name, one]) => `${JSON.stringify(name)}:${canonical(one)}`)
      .join()}}`;
  return JSON.stringify(value);
}

/** What an item counts towards the 400 KB it may have: names and values in bytes. */
export function itemBytes(item: Item): number {
  return Object.entries(item).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value),
    0,
  );
}

function valueBytes(value: AttributeValue): number {
  if ("L" in value) return 3 + value.L.reduce((sum, one) => sum + 1 + valueBytes(one), 0);
  if ("M" in value) return 3 + itemBytes(value.M);
  return Buffer.byteLength(Object.values(value).flat().join(""));
}

function depthOf(value: AttributeValue): number {
  if ("L" in value) return 1 + Math.max(0, ...value.L.map(depthOf));
  if ("M" in value) return 1 + Math.max(0, ...Object.values(value.M).map(depthOf));
  return 1;
}

/** One spelling for one number: 1.0 and 1 are the same key. */
function plainNumber(text: string): string {
  return whole.test(text) ? text : writeDecimal(readDecimal(text));
}

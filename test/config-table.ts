import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Config as Inference } from "@coalmine/inference/config";
import { Config as LogManager } from "@coalmine/log-manager/config";
import { Config as SensorReader } from "@coalmine/sensor-reader/config";
import { Config as StreamUploader } from "@coalmine/stream-uploader/config";
import * as z from "zod";
import { Bundle } from "../pipeline/judge/bundle.ts";
import { Policy } from "../pipeline/policy.ts";

/**
 * Writes what a file may hold into the page that describes it, out of the schema that refuses what cannot be: each
 * component's configuration into its README, a judge's bundle into docs. `npm run config-tables` writes them, a test
 * compares them.
 */

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const BEGIN = /<!-- (\w+): `npm run config-tables` writes what follows -->/;

export const components: Readonly<Record<string, z.ZodType>> = {
  "sensor-reader": SensorReader,
  inference: Inference,
  "stream-uploader": StreamUploader,
  "log-manager": LogManager,
};

export interface Row {
  readonly key: string;
  /** Of keys that only some kinds of a thing have. */
  readonly kinds: readonly string[];
  readonly range: string;
  readonly fallback: string;
  readonly what: string;
}

/** As `z.toJSONSchema` gives it, with our own `range`. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly range?: string;
  readonly default?: unknown;
  readonly const?: string | number | boolean;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

/** Page → the schema of what it describes. */
export const pages: Readonly<Record<string, z.ZodType>> = {
  ...Object.fromEntries(
    Object.entries(components).map(([name, schema]) => [`components/${name}/README.md`, schema]),
  ),
  "docs/judge-bundle.md": Bundle,
  "docs/policy.md": Policy,
};

export function readPage(page: string): string {
  return readFileSync(join(root, page), "utf8");
}

/** The page with its table as it should be. */
export function withTable(page: string): string {
  const text = readPage(page);
  const [begin = "", what = ""] = BEGIN.exec(text) ?? [];
  const end = `<!-- end of ${what} -->`;
  const [before, rest, ...more] = text.split(begin);
  const after = rest?.split(end)[1];
  if (begin === "" || before === undefined || after === undefined || more.length > 0)
    throw new Error(`${page} must hold a line like ${String(BEGIN)} once, and the end that belongs to it`);
  return `${before}${begin}\n\n${tableOf(pages[page] ?? z.never())}\n\n${end}${after}`;
}

export function rowsOf(schema: z.ZodType): readonly Row[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the part of JSON Schema that it writes
  const json = z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    override: withDefault,
  }) as Schema;
  return withoutTwins(rows(json, ""));
}

/** A default behind a transformation is of the output's type, and left out; it is what a person has to know. */
function withDefault({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodTypes; jsonSchema: object }): void {
  const { def } = zodSchema._zod;
  if (def.type === "default") Object.assign(jsonSchema, { default: def.defaultValue });
}

const TWIN_ROWS_MIN = 5;

/** What stands in two places alike is told in the first, and named in the others. */
function withoutTwins(all: readonly Row[]): Row[] {
  const seen = new Map<string, string>();
  const kept: Row[] = [];
  for (let at = 0; at < all.length; at++) {
    const row = all[at];
    if (row === undefined) break;
    const below = all
      .slice(at + 1)
      .findIndex(({ key }) => !/^[.[]/.test(key.slice(row.key.length)) || !key.startsWith(row.key));
    const inside = all.slice(at + 1, below < 0 ? undefined : at + 1 + below);
    // Kinds that come from further out say nothing about this place.
    const outer = row.kinds.length;
    const name = JSON.stringify(
      inside.map((one) => ({ ...one, key: one.key.slice(row.key.length), kinds: one.kinds.slice(outer) })),
    );
    const first = seen.get(name);
    const isTwin = first !== undefined && inside.length >= TWIN_ROWS_MIN;
    if (!isTwin) seen.set(name, row.key);
    kept.push(isTwin ? { ...row, what: `${row.what} As \`${first}\`.`.trim() } : row);
    if (isTwin) at += inside.length;
  }
  return kept;
}

function tableOf(schema: z.ZodType): string {
  const lines = rowsOf(schema).map(({ key, kinds, range, fallback, what }) => {
    const of = kinds.length === 0 ? "" : ` (${kinds.join(", ")})`;
    return `| \`${key}\`${of} | ${[range, fallback, what].map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;
  });
  return ["| key | may be | default | what |", "| --- | --- | --- | --- |", ...lines].join("\n");
}

/** What stands below a key: its own row, where it is a value; a row for each of its keys otherwise. */
function rows(schema: Schema, path: string, isRequired = false): Row[] {
  const { properties, additionalProperties, items } = schema;
  const variants = (schema.oneOf ?? schema.anyOf ?? []).filter((one) => one.properties !== undefined);
  const own = path === "" ? [] : [rowOf(schema, path, isRequired)];
  if (properties !== undefined) {
    const below = Object.entries(properties).flatMap(([key, one]) =>
      rows(one, path === "" ? key : `${path}.${key}`, schema.required?.includes(key)),
    );
    return schema.description === undefined ? below : [...own, ...below];
  }
  if (typeof additionalProperties === "object")
    return [...own, ...inner(additionalProperties, `${path}.<name>`)];
  if (items !== undefined && schema.prefixItems === undefined) return [...own, ...inner(items, `${path}[]`)];
  if (variants.length === 1) return [...own, ...variants.flatMap((one) => rows(one, path))];
  return variants.length > 1 ? [...own, ...merged(variants, path)] : own;
}

/** The rows inside a list or a map; one of plain values has none. */
function inner(schema: Schema, path: string): Row[] {
  return rows(schema, path).filter(({ key }) => key !== path);
}

/** Keys that all kinds have alike stand once, others with their kinds. */
function merged(variants: readonly Schema[], path: string): Row[] {
  const found = new Map<string, { row: Row; kinds: string[] }>();
  const [key = "kind"] =
    Object.entries(variants[0]?.properties ?? {}).find(([, one]) => one.const !== undefined) ?? [];
  for (const [at, variant] of variants.entries()) {
    const kind = String(variant.properties?.[key]?.const ?? variant.description ?? at + 1);
    for (const row of inner(variant, path)) {
      const name = JSON.stringify(row);
      const known = found.get(name);
      if (known === undefined) found.set(name, { row, kinds: [kind] });
      else known.kinds.push(kind);
    }
  }
  return [...found.values()].map(({ row, kinds }) => ({
    ...row,
    kinds:
      kinds.length === variants.length || row.key === `${path}.${key}` ? row.kinds : [...kinds, ...row.kinds],
  }));
}

function rowOf(schema: Schema, key: string, isRequired: boolean): Row {
  const { default: fallback } = schema;
  const shown = fallback === undefined ? undefined : JSON.stringify(fallback);
  const isLong = (shown?.length ?? 0) > DEFAULT_LENGTH_MAX;
  return {
    key,
    kinds: [],
    range: rangeOf(schema),
    fallback:
      shown === undefined ? (isRequired ? "required" : "–") : isLong ? "see `src/config.ts`" : `\`${shown}\``,
    what: schema.description ?? "",
  };
}

const DEFAULT_LENGTH_MAX = 60;

function rangeOf(schema: Schema): string {
  if (schema.range !== undefined) return schema.range;
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((one) => `\`${String(one)}\``).join(", ");
  if (schema.prefixItems !== undefined) return `[${schema.prefixItems.map(rangeOf).join(", ")}]`;
  const either = schema.oneOf ?? schema.anyOf;
  if (either !== undefined) return [...new Set(either.map(rangeOf))].join(" or ");
  switch (schema.type) {
    case "integer":
    case "number":
      return `${schema.type === "integer" ? "whole number" : "number"}${boundsOf(schema)}`;
    case "boolean":
      return "`true`, `false`";
    case "string": {
      const length = spanOf(schema.minLength, schema.maxLength, "characters");
      return schema.pattern === undefined ? `text${length}` : `text as \`${schema.pattern}\`${length}`;
    }
    case "array":
      return `list of ${rangeOf(schema.items ?? {})}${spanOf(schema.minItems, schema.maxItems, "")}`;
    case "null":
      return "`null`";
    case undefined:
    default:
      return schema.properties === undefined && typeof schema.additionalProperties !== "object"
        ? "any"
        : "object";
  }
}

function boundsOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): string {
  if (exclusiveMinimum !== undefined && exclusiveMaximum !== undefined)
    return `, between ${grouped(exclusiveMinimum)} and ${grouped(exclusiveMaximum)}`;
  const least = minimum ?? exclusiveMinimum;
  const isBelow = least !== undefined && least > Number.MIN_SAFE_INTEGER;
  const isAbove = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  const from = `${exclusiveMinimum === undefined ? "" : "above "}${grouped(least ?? 0)}`;
  if (isBelow && isAbove) return `, ${from} to ${grouped(maximum)}`;
  if (isBelow) return exclusiveMinimum === undefined ? `, at least ${from}` : `, ${from}`;
  return isAbove ? `, at most ${grouped(maximum)}` : "";
}

function spanOf(least = 0, most: number | undefined, unit: string): string {
  const counted = unit === "" ? "" : ` ${unit}`;
  if (most === undefined) return least > 0 ? `, at least ${least}${counted}` : "";
  return least === most ? `, ${most}${counted}` : `, ${grouped(least)} to ${grouped(most)}${counted}`;
}

function grouped(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 6 });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  for (const page of Object.keys(pages)) writeFileSync(join(root, page), withTable(page));

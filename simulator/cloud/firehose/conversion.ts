import { gzipSync } from "node:zlib";
import { type BasicType, parquetWriteBuffer } from "hyparquet-writer";
import * as z from "zod";
import type { Column } from "../glue/glue-service.ts";

/**
 * Record format conversion: JSON records to Parquet by the columns of a Glue table.
 * @see https://docs.aws.amazon.com/firehose/latest/dev/record-format-conversion.html
 */
export const Conversion = z.object({
  Enabled: z.boolean().default(true),
  SchemaConfiguration: z.object({
    RoleARN: z.string().optional(),
    CatalogId: z.string().optional(),
    DatabaseName: z.string(),
    TableName: z.string(),
    Region: z.string().optional(),
    VersionId: z.literal("LATEST", "only the LATEST version of a table is kept").default("LATEST"),
  }),
  InputFormatConfiguration: z.object({
    Deserializer: z.union([
      z.strictObject({
        OpenXJsonSerDe: z.strictObject({
          CaseInsensitive: z.boolean().default(true),
          ColumnToJsonKeyMappings: z.record(z.string(), z.string()).default({}),
          ConvertDotsInJsonKeysToUnderscores: z.boolean().default(false),
        }),
      }),
      // Its time formats are Java's.
      z.strictObject({ HiveJsonSerDe: z.strictObject({}) }),
    ]),
  }),
  OutputFormatConfiguration: z.object({
    Serializer: z.strictObject({
      ParquetSerDe: z.looseObject({
        Compression: z.enum(["UNCOMPRESSED", "GZIP", "SNAPPY"]).default("SNAPPY"),
      }),
    }),
  }),
});
export type Conversion = z.infer<typeof Conversion>;

type Cell = string | number | bigint | boolean | Date | null;
type Read = (value: unknown) => Cell | undefined;

const whole =
  (bits: number): Read =>
  (value) => {
    const number = numberOf(value);
    return Number.isInteger(number) && Math.abs(number) <= 2 ** (bits - 1) - 1 ? number : undefined;
  };
const real: Read = (value) => {
  const number = numberOf(value);
  return Number.isNaN(number) ? undefined : number;
};
const text: Read = (value) => (typeof value === "string" ? value : JSON.stringify(value));
const types: Readonly<Record<string, { readonly parquet: BasicType; readonly read: Read }>> = {
  string: { parquet: "STRING", read: text },
  tinyint: { parquet: "INT32", read: whole(8) },
  smallint: { parquet: "INT32", read: whole(16) },
  int: { parquet: "INT32", read: whole(32) },
  integer: { parquet: "INT32", read: whole(32) },
  bigint: { parquet: "INT64", read: bigintOf },
  float: { parquet: "FLOAT", read: real },
  double: { parquet: "DOUBLE", read: real },
  boolean: { parquet: "BOOLEAN", read: booleanOf },
  timestamp: { parquet: "TIMESTAMP", read: timeOf },
};

/** The columns whose types are not written here. */
export function unsupported(columns: readonly Column[]): readonly string[] {
  return columns.flatMap(({ Name, Type }) => (typeOf(Type) === undefined ? [`${Name} (${Type})`] : []));
}

export interface Failed {
  readonly record: Uint8Array;
  readonly code: `DataFormatConversion.${"ParseError" | "MalformedData" | "EntityNotFound" | "InvalidSchema"}`;
  readonly why: string;
}

/** The Parquet file of the records that fit, undefined where none does, and those that do not. */
export function convert(
  records: readonly Uint8Array[],
  /** Undefined where the table is not there. */
  columns: readonly Column[] | undefined,
  { InputFormatConfiguration, OutputFormatConfiguration }: Conversion,
): { readonly file: Uint8Array | undefined; readonly failed: readonly Failed[] } {
  const allFailed = (code: Failed["code"], why: string) => ({
    file: undefined,
    failed: records.map((record) => ({ record, code, why })),
  });
  if (columns === undefined)
    return allFailed("DataFormatConversion.EntityNotFound", "The table is not found in Glue.");
  const others = unsupported(columns);
  if (others.length > 0)
    return allFailed(
      "DataFormatConversion.InvalidSchema",
      `Columns of these types are not written here: ${others.join(", ")}.`,
    );
  const keyed = keysOf(InputFormatConfiguration.Deserializer);
  const cells: Cell[][] = columns.map(() => []);
  const failed: Failed[] = [];
  let rows = 0;
  for (const record of records) {
    const documents = documentsOf(Buffer.from(record).toString("utf8"));
    if (documents === undefined) {
      failed.push({ record, code: "DataFormatConversion.ParseError", why: "The record is no JSON object." });
      continue;
    }
    const read = documents.map((document) => rowOf(document, columns, keyed));
    const wrong = read.find((row) => typeof row === "string");
    if (typeof wrong === "string") {
      failed.push({ record, code: "DataFormatConversion.MalformedData", why: wrong });
      continue;
    }
    for (const row of read) {
      if (typeof row === "string") continue;
      for (const [index, cell] of row.entries()) cells[index]?.push(cell);
      rows++;
    }
  }
  if (rows === 0) return { file: undefined, failed };
  const file = parquetWriteBuffer({
    columnData: columns.map(({ Name, Type }, index) => ({
      name: Name,
      type: typeOf(Type)?.parquet ?? "STRING",
      nullable: true,
      data: cells[index] ?? [],
    })),
    codec: OutputFormatConfiguration.Serializer.ParquetSerDe.Compression,
    compressors: { GZIP: (bytes) => gzipSync(bytes) },
  });
  return { file: new Uint8Array(file), failed };
}

/** A record holds one object, or several one after the other. */
function documentsOf(record: string): Record<string, unknown>[] | undefined {
  const whole = objectOf(record);
  if (whole !== undefined) return [whole];
  const lines = record.split("\n").filter((line) => line.trim() !== "");
  const documents = lines.map(objectOf).filter((document) => document !== undefined);
  return documents.length === lines.length && lines.length > 0 ? documents : undefined;
}

function objectOf(json: string): Record<string, unknown> | undefined {
  try {
    return z.record(z.string(), z.unknown()).safeParse(JSON.parse(json)).data;
  } catch {
    return undefined;
  }
}

/** Where a column's value stands in a document. */
function keysOf(
  deserializer: Conversion["InputFormatConfiguration"]["Deserializer"],
): (document: Readonly<Record<string, unknown>>) => (column: string) => unknown {
  const openX = "OpenXJsonSerDe" in deserializer ? deserializer.OpenXJsonSerDe : undefined;
  const named = (key: string): string => {
    const cased = openX?.CaseInsensitive === false ? key : key.toLowerCase();
    return openX?.ConvertDotsInJsonKeysToUnderscores === true ? cased.replaceAll(".", "_") : cased;
  };
  return (document) => {
    const values = new Map(Object.entries(document).map(([key, value]) => [named(key), value]));
    return (column) => {
      const mapped = openX?.ColumnToJsonKeyMappings[column];
      return mapped === undefined ? values.get(named(column)) : document[mapped];
    };
  };
}

/** The row, or why there is none. A column that the document does not have is empty. */
function rowOf(
  document: Readonly<Record<string, unknown>>,
  columns: readonly Column[],
  keyed: ReturnType<typeof keysOf>,
): Cell[] | string {
  const valueOf = keyed(document);
  const row: Cell[] = [];
  for (const { Name, Type } of columns) {
    const value = valueOf(Name);
    const cell = value === null || value === undefined ? null : typeOf(Type)?.read(value);
    if (cell === undefined) return `The value of ${Name} is no ${Type}.`;
    row.push(cell);
  }
  return row;
}

function typeOf(hiveType: string) {
  const name = hiveType.toLowerCase().replace(/^(?:var)?char\(\d+\)$/, "string");
  return Object.hasOwn(types, name) ? types[name] : undefined;
}

function numberOf(value: unknown): number {
  if (typeof value === "number") return value;
  return typeof value === "string" && value.trim() !== "" ? Number(value) : Number.NaN;
}

function bigintOf(value: unknown): bigint | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  return typeof value === "string" && /^-?\d{1,18}$/.test(value) ? BigInt(value) : undefined;
}

function booleanOf(value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  return value === "true" ? true : value === "false" ? false : undefined;
}

/** Milliseconds, or text as SQL or ISO 8601 writes it; without a zone it is UTC. */
function timeOf(value: unknown): Date | undefined {
  const iso =
    typeof value === "string"
      ? value.replace(/^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)$/, "$1T$2Z")
      : undefined;
  const time = new Date(typeof value === "number" ? value : (iso ?? Number.NaN));
  return Number.isNaN(time.getTime()) ? undefined : time;
}

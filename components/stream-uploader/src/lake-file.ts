import { lakeColumns } from "@coalmine/contract";
import type { Crypto } from "@coalmine/ports";
import { parquetWriteBuffer } from "hyparquet-writer";
import type { PointColumns } from "./batch-record.ts";

/** The version of the file's layout: part of the key and of the footer. */
export const LAKE_FILE_VERSION = 1;
/** From this many rows on gzip pays for its time; below it most of a file is its footer. */
const GZIP_ROWS_MIN = 1000;
const ROW_GROUP_ROWS = 100_000;

type ColumnName = (typeof lakeColumns)[number]["name"];

/** Measured values repeat where something steps through set points: with so many rows a value a dictionary is smaller. */
const ROWS_PER_VALUE_MIN = 16;

type Column = readonly (string | number | null)[];

/** Dictionaries for words and what repeats, differences for numbers that count, split bytes for the measured. */
function encodingOf(type: (typeof lakeColumns)[number]["type"], column: Column) {
  if (type === "INT64") return "DELTA_BINARY_PACKED";
  if (type === "STRING" || isConstant(column)) return "RLE_DICTIONARY";
  if (type !== "DOUBLE") return "DELTA_BINARY_PACKED";
  const distinct = new Set<unknown>();
  for (const value of column)
    if (distinct.add(value).size * ROWS_PER_VALUE_MIN > column.length) return "BYTE_STREAM_SPLIT";
  return "RLE_DICTIONARY";
}

/** One run of one value is a few bytes: gzip would only add its own. Differences of no difference are not as few. */
function isConstant(column: Column): boolean {
  return column.every((value) => value === column[0]);
}

/** Columns whose least and greatest value let a query pass over a file; for the others they would cost more than the rows. */
const pruning: ReadonlySet<ColumnName> = new Set(["sequence", "channel", "sample_time_ms"]);
const nullable: ReadonlySet<ColumnName> = new Set([
  "quality_cause",
  "model_sha256",
  "preprocessing_version",
  "input_from",
  "input_to",
]);

/** Rows of one lake file, collected column by column. */
export class LakeRows {
  rows = 0;
  readonly #thing: string;
  readonly #columns: Record<Exclude<ColumnName, "thing">, (string | number | null)[]> = {
    instrument: [],
    boot: [],
    sequence: [],
    channel: [],
    sample_time_ms: [],
    sample_time_uncertainty_ms: [],
    value: [],
    unit: [],
    quality: [],
    quality_cause: [],
    calibration_id: [],
    model_sha256: [],
    preprocessing_version: [],
    input_from: [],
    input_to: [],
  };

  constructor(thing: string) {
    this.#thing = thing;
  }

  add(points: PointColumns, at: number): void {
    const kind = points.kinds[points.kind[at] ?? 0];
    if (kind === undefined) return;
    const isComputed = kind.modelSha256 !== null;
    const columns = this.#columns;
    columns.instrument.push(points.instrument);
    columns.boot.push(points.boot);
    columns.sequence.push(points.sequence[at] ?? 0);
    columns.channel.push(kind.channel);
    columns.sample_time_ms.push(points.sampleTimeMs[at] ?? 0);
    columns.sample_time_uncertainty_ms.push(points.sampleTimeUncertaintyMs[at] ?? 0);
    columns.value.push(points.value[at] ?? 0);
    columns.unit.push(kind.unit);
    columns.quality.push(kind.quality);
    columns.quality_cause.push(kind.cause);
    columns.calibration_id.push(kind.calibrationId);
    columns.model_sha256.push(kind.modelSha256);
    columns.preprocessing_version.push(kind.preprocessingVersion);
    columns.input_from.push(isComputed ? (points.inputFrom?.[at] ?? null) : null);
    columns.input_to.push(isComputed ? (points.inputTo?.[at] ?? null) : null);
    this.rows++;
  }

  /** The Parquet file. The same rows and facts give the same bytes. */
  toParquet(facts: Readonly<Record<string, string>>, crypto: Pick<Crypto, "gzip">): Uint8Array {
    const isLarge = this.rows >= GZIP_ROWS_MIN;
    return new Uint8Array(
      parquetWriteBuffer({
        columnData: lakeColumns.map(({ name, type }) => {
          const data =
            name === "thing"
              ? Array.from<string>({ length: this.rows }).fill(this.#thing)
              : this.#columns[name];
          const encoding = encodingOf(type, data);
          const isRun = isConstant(data) && (encoding === "RLE_DICTIONARY" || data[0] === null);
          return {
            name,
            type,
            nullable: nullable.has(name),
            encoding,
            statistics: pruning.has(name),
            data,
            ...(isRun ? { codec: "UNCOMPRESSED" as const } : {}),
          };
        }),
        codec: isLarge ? "GZIP" : "SNAPPY",
        compressors: { GZIP: (bytes) => crypto.gzip(bytes) },
        rowGroupSize: ROW_GROUP_ROWS,
        createdBy: "coalmine stream-uploader",
        kvMetadata: Object.entries(facts).map(([key, value]) => ({ key, value })),
      }),
    );
  }
}

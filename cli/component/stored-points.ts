import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { lakeColumns, Measurement } from "@coalmine/contract";
import { CoalmineError, messageOf } from "@coalmine/runtime";
import { DuckDBInstance } from "@duckdb/node-api";
import * as z from "zod";

export class StoredPointsError extends CoalmineError {
  readonly code = "ERR_STORED_POINTS";
}

/** BIGINT columns are strings in DuckDB's JSON. */
const Whole = z.union([z.number(), z.string()]).transform(Number).pipe(z.int());
const Row = z
  .object({
    instrument: z.string(),
    boot: Whole,
    sequence: Whole,
    channel: z.string(),
    sample_time_ms: z.number(),
    sample_time_uncertainty_ms: z.number(),
    value: z.number(),
    unit: z.string(),
    quality: z.string(),
    quality_cause: z.string().nullish(),
    calibration_id: z.string(),
    model_sha256: z.string().nullish(),
    preprocessing_version: z.number().nullish(),
    input_from: Whole.nullish(),
    input_to: Whole.nullish(),
  })
  .transform((row): unknown => ({
    instrument: row.instrument,
    boot: row.boot,
    sequence: row.sequence,
    channel: row.channel,
    sampleTimeMs: row.sample_time_ms,
    sampleTimeUncertaintyMs: row.sample_time_uncertainty_ms,
    value: row.value,
    unit: row.unit,
    quality: row.quality === "good" ? { level: "good" } : { level: row.quality, cause: row.quality_cause },
    calibrationId: row.calibration_id,
    ...(row.model_sha256 === null || row.model_sha256 === undefined
      ? {}
      : {
          derivation: {
            modelSha256: row.model_sha256,
            preprocessingVersion: row.preprocessing_version,
            inputFrom: row.input_from,
            inputTo: row.input_to,
          },
        }),
  }))
  .pipe(Measurement);

/**
 * Points in the order of instrument, boot and sequence: of Parquet files of the lake (a glob), of one thing, or of a file
 * of JSON lines with a point of the contract on each.
 */
export async function storedPoints(files: string, thing: string | undefined): Promise<Measurement[]> {
  try {
    const points = files.endsWith(".jsonl") ? await fromJsonLines(files) : await fromParquet(files, thing);
    return points.sort(
      (a, b) => a.instrument.localeCompare(b.instrument) || a.boot - b.boot || a.sequence - b.sequence,
    );
  } catch (cause) {
    throw new StoredPointsError(
      `cannot read points from ${files}: ${messageOf(cause).split("\n", 1)[0] ?? ""}. Name Parquet files of the lake, as a glob in quotes, or a .jsonl file.`,
      { cause },
    );
  }
}

async function fromJsonLines(file: string): Promise<Measurement[]> {
  const points: Measurement[] = [];
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity }))
    if (line !== "") points.push(Measurement.parse(JSON.parse(line)));
  return points;
}

async function fromParquet(files: string, thing: string | undefined): Promise<Measurement[]> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    const columns = lakeColumns.map(({ name }) => name).join(", ");
    const where = thing === undefined ? "" : "WHERE thing = $thing";
    const reader = await connection.runAndReadAll(
      `SELECT ${columns} FROM read_parquet($files) ${where}`,
      thing === undefined ? { files } : { files, thing },
    );
    return reader.getRowObjectsJson().map((row) => Row.parse(row));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

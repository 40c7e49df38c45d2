import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { lakeColumns, type Measurement } from "@coalmine/contract";
import { nodeCrypto } from "@coalmine/device/crypto";
import { DuckDBInstance } from "@duckdb/node-api";
import { decodePoints, encodePoints } from "../../components/stream-uploader/src/batch-record.ts";
import { LakeRows } from "../../components/stream-uploader/src/lake-file.ts";
import { atLeast, type Bench, inTurn, type Metric, median, ratio } from "../measure.ts";
import { recordedSignals } from "./recorded-rows.ts";

const THING = "thing-1";
/** What a real file has in its footer, at its real length. */
const FACTS = {
  "coalmine.thing": THING,
  "coalmine.epoch": "0123456789abcdef0123456789abcdef",
  "coalmine.firstSequence": "1001",
  "coalmine.lastSequence": "1240",
  "coalmine.schemaVersion": "1",
};
/** As sensor-reader sends them, and the log holds them. */
const BATCH_POINTS = 500;
const TIMES_SMALLER_MIN = 4;
const SIGNALS_MIN = 3;
/** Of the throughput: a full upload of the default configuration. */
const UPLOAD_ROWS = 100_000;

type Row = Record<(typeof lakeColumns)[number]["name"], string | number | null>;

/** What the lake says of a point: the row that both sides store. */
function rowOf(point: Measurement): Row {
  const { quality, derivation } = point;
  return {
    thing: THING,
    instrument: point.instrument,
    boot: point.boot,
    sequence: point.sequence,
    channel: point.channel,
    sample_time_ms: point.sampleTimeMs,
    sample_time_uncertainty_ms: point.sampleTimeUncertaintyMs,
    value: point.value,
    unit: point.unit,
    quality: quality.level,
    quality_cause: quality.level === "good" ? null : quality.cause,
    calibration_id: point.calibrationId,
    model_sha256: derivation?.modelSha256 ?? null,
    preprocessing_version: derivation?.preprocessingVersion ?? null,
    input_from: derivation?.inputFrom ?? null,
    input_to: derivation?.inputTo ?? null,
  };
}

/** Without what has no value, as one would write it to save bytes. */
function sparse(row: Row): Partial<Row> {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
}
const jsonLines = (rows: readonly Partial<Row>[]): Uint8Array =>
  gzipSync(rows.map((row) => JSON.stringify(row)).join("\n"));

/** From the log's records to the file, as the uploader does it. */
function lakeFile(records: readonly Uint8Array[]): Uint8Array {
  const rows = new LakeRows(THING);
  for (const record of records) {
    const points = decodePoints(record);
    for (let at = 0; at < points.sequence.length; at++) rows.add(points, at);
  }
  return rows.toParquet(FACTS, nodeCrypto);
}

function recordsOf(points: readonly Measurement[]): Uint8Array[] {
  return Array.from({ length: Math.ceil(points.length / BATCH_POINTS) }, (_, at) =>
    encodePoints(points.slice(at * BATCH_POINTS, (at + 1) * BATCH_POINTS)),
  );
}

/** @throws where DuckDB reads other rows out of the file than went into it. */
async function readBack(name: string, file: Uint8Array, rows: readonly Row[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "coalmine-parquet-"));
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  try {
    const path = join(folder, "lake.parquet");
    await writeFile(path, file);
    const answer = await connection.runAndReadAll(`select * from read_parquet('${path}')`);
    const read = answer.getRowObjects();
    if (read.length !== rows.length) throw new Error(`${name}: ${read.length} rows of ${rows.length}`);
    for (const [at, row] of rows.entries())
      for (const { name: column } of lakeColumns) {
        const value = read[at]?.[column];
        const found = typeof value === "bigint" ? Number(value) : value;
        if (!Object.is(found, row[column]))
          throw new Error(`${name}: row ${at} has ${column} ${String(found)}, not ${String(row[column])}`);
      }
  } finally {
    connection.closeSync();
    instance.closeSync();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Our lake files against gzipped JSON lines of the same rows: how large, read back equal, how fast. */
export const bench: Bench = async (say) => {
  const metrics: Record<string, Metric> = {};
  const signals = recordedSignals();
  let small = 0;
  for (const { name, points } of signals) {
    const rows = points.map(rowOf);
    const lines = jsonLines(rows.map(sparse));
    const file = lakeFile(recordsOf(points));
    await readBack(name, file, rows);
    const timesSmaller = lines.length / file.length;
    if (timesSmaller >= TIMES_SMALLER_MIN) small++;
    metrics[`${name}.rows`] = { value: rows.length, unit: "rows" };
    metrics[`${name}.jsonBytesPerRow`] = { value: lines.length / rows.length, unit: "bytes" };
    metrics[`${name}.parquetBytesPerRow`] = { value: file.length / rows.length, unit: "bytes" };
    metrics[`${name}.timesSmaller`] = { value: timesSmaller, unit: "x" };
    say(`${name}: ${rows.length} rows read back equal, ${timesSmaller.toFixed(2)} times smaller`);
  }
  metrics[`signalsAtLeast${TIMES_SMALLER_MIN}TimesSmaller`] = atLeast(small, "signals", SIGNALS_MIN);

  const all = signals.map(({ points }) => points);
  const records: Uint8Array[] = [];
  const rows: Partial<Row>[] = [];
  while (rows.length < UPLOAD_ROWS)
    for (const points of all) {
      const some = points.slice(0, Math.max(0, UPLOAD_ROWS - rows.length));
      records.push(...recordsOf(some));
      for (const point of some) rows.push(sparse(rowOf(point)));
    }
  const rate = (work: () => Uint8Array): number => {
    const started = performance.now();
    work();
    return (UPLOAD_ROWS / (performance.now() - started)) * 1000;
  };
  lakeFile(records);
  jsonLines(rows);
  say("files and lines of an upload of 100,000 rows, in turn");
  const { parquet, json } = await inTurn({
    parquet: () => rate(() => lakeFile(records)),
    json: () => rate(() => jsonLines(rows)),
  });
  metrics["parquetRowsPerSecond"] = { value: median(parquet), unit: "rows/s" };
  metrics["jsonRowsPerSecond"] = { value: median(json), unit: "rows/s" };
  metrics["rowsPerSecondOverJson"] = { value: ratio(parquet, json), unit: "x" };
  return metrics;
};

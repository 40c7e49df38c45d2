import { gunzipSync } from "node:zlib";
import { parquetReadObjects } from "hyparquet";
import * as z from "zod";
import type { Cloud } from "../../cloud/cloud.ts";
import type { LocalIot } from "../../cloud/iot-parts.ts";
import type { DrivenRegion } from "../driven/region.ts";
import { Points } from "./points.ts";

/** What the lake holds of what the instruments measured. Points that a model computed are counted apart. */
export interface LakeFindings {
  readonly objects: number;
  readonly rows: number;
  readonly resultRows: number;
  /** Points of the ledgers that are not there. */
  readonly lost: number;
  /** Rows beyond the first of the same point. */
  readonly doubled: number;
  /** Rows that no ledger knows. */
  readonly unknown: number;
  /** Rows of a quality other than good, by its cause. */
  readonly causes: Readonly<Record<string, number>>;
  /** The first few of what is wrong, in words. */
  readonly examples: readonly string[];
}

const EXAMPLES_MAX = 5;
const Row = z.object({
  thing: z.string(),
  instrument: z.string(),
  boot: z.number(),
  sequence: z.union([z.bigint(), z.number()]).transform(Number),
  channel: z.string(),
  model_sha256: z.string().nullish(),
  quality_cause: z.string().nullish(),
});
const Listing = z.object({
  Contents: z.array(z.object({ Key: z.string() })).default([]),
  IsTruncated: z.boolean().optional(),
  NextContinuationToken: z.string().optional(),
});

const ValueRow = Row.extend({
  sample_time_ms: z.number(),
  value: z.number(),
  unit: z.string(),
  quality: z.string(),
});
const CompiledRow = z.compile(Row);
const CompiledValueRow = z.compile(ValueRow);
/** A row with what was measured. */
export type ValueRow = z.infer<typeof ValueRow>;

/** What one instrument measured in one of its starts: readings from the first on, each of so many points. */
export interface Measured {
  readonly thing: string;
  readonly instrument: string;
  readonly boot: number;
  readonly readings: number;
  readonly channels: number;
}

/** Of a driven region, whose instruments keep ledgers; `look` is shown every row with its object's key. */
export function lakeFindings(
  region: DrivenRegion,
  bucket: string,
  look?: (row: ValueRow, key: string) => void,
): Promise<LakeFindings> {
  return findingsOf(region.cloud, bucket, {
    measured: region.devices.flatMap(({ thingName }) => measuredBy(region, thingName)),
    hasLedger: (thing, instrument) => region.device(thing)?.bench.withoutLedger.has(instrument) !== true,
    ...(look === undefined ? {} : { look }),
  });
}

/** Reads every Parquet object of the lake and compares it with what was measured, point by point. */
export async function findingsOf(
  cloud: Cloud<LocalIot>,
  bucket: string,
  {
    measured: expected,
    hasLedger,
    look,
  }: {
    readonly measured: readonly Measured[];
    readonly hasLedger: (thing: string, instrument: string) => boolean;
    readonly look?: (row: ValueRow, key: string) => void;
  },
): Promise<LakeFindings> {
  const measured = new Map<string, Points>();
  const results = new Map<string, Points>();
  const examples: string[] = [];
  const causes: Record<string, number> = {};
  let objects = 0;
  let rows = 0;
  let resultRows = 0;
  let doubled = 0;
  let withoutLedger = 0;
  const wrong = (what: string): void => void (examples.length < EXAMPLES_MAX && examples.push(what));
  for await (const key of keys(cloud, bucket)) {
    objects++;
    const schema = look === undefined ? Row : ValueRow;
    for (const read of await parquetRows(cloud, bucket, key, Object.keys(schema.shape))) {
      const row = CompiledRow.parse(read);
      look?.(CompiledValueRow.parse(read), key);
      rows++;
      if (typeof row.quality_cause === "string")
        causes[row.quality_cause] = (causes[row.quality_cause] ?? 0) + 1;
      const start = `${row.thing}/${row.instrument}/${row.boot}`;
      const isResult = row.model_sha256 !== null && row.model_sha256 !== undefined;
      if (isResult) resultRows++;
      const isNew = pointsOf(isResult ? results : measured, start).add(row.sequence, row.channel);
      if (!isNew) {
        doubled++;
        const what = isResult ? "result" : "point";
        wrong(`${what} ${start}/${row.sequence}/${row.channel} is there more than once`);
      } else if (!isResult && !hasLedger(row.thing, row.instrument)) withoutLedger++;
    }
  }
  let lost = 0;
  let expectedDistinct = 0;
  for (const { thing, instrument, boot, readings, channels } of expected) {
    const start = `${thing}/${instrument}/${boot}`;
    const found = pointsOf(measured, start);
    for (let sequence = 0; sequence < readings; sequence++) {
      const missing = channels - Math.min(channels, found.channelsAt(sequence));
      expectedDistinct += channels - missing;
      lost += missing;
      if (missing > 0) wrong(`${missing} of ${channels} points of ${start}/${sequence} are lost`);
    }
  }
  const distinct = [...measured.values()].reduce((sum, of) => sum + of.size, 0) - withoutLedger;
  const unknown = distinct - expectedDistinct;
  if (unknown > 0) wrong(`${unknown} points are in the lake that nothing measured`);
  return { objects, rows, resultRows, lost, doubled, unknown, causes, examples };
}

function measuredBy(region: DrivenRegion, thingName: string): Measured[] {
  return [...region.ledgersOf(thingName)].flatMap(([instrument, ledger]) =>
    ledger.boots().map((boot) => ({ ...boot, instrument, thing: thingName })),
  );
}

function pointsOf(starts: Map<string, Points>, start: string): Points {
  const known = starts.get(start) ?? new Points();
  starts.set(start, known);
  return known;
}

async function* keys(cloud: Cloud<LocalIot>, Bucket: string): AsyncIterable<string> {
  let ContinuationToken: string | undefined;
  do {
    const page = Listing.parse(await cloud.invoke("s3", "ListObjectsV2", { Bucket, ContinuationToken }));
    for (const { Key } of page.Contents) yield Key;
    ContinuationToken = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (ContinuationToken !== undefined);
}

async function parquetRows(
  cloud: Cloud<LocalIot>,
  Bucket: string,
  Key: string,
  columns: string[],
): Promise<Record<string, unknown>[]> {
  const { Body }: { Body?: Uint8Array } = await cloud.invoke("s3", "GetObject", { Bucket, Key });
  return rowsIn(new Uint8Array(Body ?? []), columns);
}

/** The rows of a Parquet object, in memory of their own. */
export function rowsIn(
  bytes: Uint8Array<ArrayBuffer>,
  columns: string[],
): Promise<Record<string, unknown>[]> {
  return parquetReadObjects({
    file: { byteLength: bytes.length, slice: (start, end) => bytes.buffer.slice(start, end) },
    columns,
    compressors: { GZIP: (packed) => gunzipSync(packed) },
  });
}

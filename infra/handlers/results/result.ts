import { ThingName } from "@coalmine/contract";
import { CoalmineError } from "@coalmine/runtime";
import { parquetReadObjects } from "hyparquet";
import * as z from "zod";

export class ResultsError extends CoalmineError {
  readonly code = "ERR_RESULTS";
}

/** What a model said of an instrument's readings, as whoever asks is answered. */
export const Result = z.object({
  thing: ThingName,
  instrument: z.string(),
  boot: z.int(),
  sequence: z.int(),
  channel: z.string(),
  sampleTimeMs: z.number(),
  sampleTimeUncertaintyMs: z.number(),
  value: z.number(),
  /** UCUM. */
  unit: z.string(),
  quality: z.string(),
  qualityCause: z.string().optional(),
  calibrationId: z.string(),
  modelSha256: z.string(),
});
export type Result = z.infer<typeof Result>;

/** A row of the lake as Parquet readers give it: whole numbers of 64 bits as BigInt. */
const whole = z.union([z.bigint(), z.number()]).transform(Number);
const Row = z.object({
  thing: ThingName,
  instrument: z.string(),
  boot: whole,
  sequence: whole,
  channel: z.string(),
  sample_time_ms: z.number(),
  sample_time_uncertainty_ms: z.number(),
  value: z.number(),
  unit: z.string(),
  quality: z.string(),
  quality_cause: z.string().nullish(),
  calibration_id: z.string(),
  model_sha256: z.string().nullish(),
});

/** The latest result of each instrument and channel in an object of the lake. */
export async function resultsIn(object: Uint8Array): Promise<Result[]> {
  const file = new Uint8Array(object).buffer;
  const latest = new Map<string, Result>();
  for (const row of await parquetReadObjects({ file })) {
    const result = resultOf(Row.parse(row));
    if (result === undefined) continue;
    const key = shelfKey(result);
    const known = latest.get(key);
    if (known === undefined || order(known) < order(result)) latest.set(key, result);
  }
  return [...latest.values()];
}

function resultOf(row: z.infer<typeof Row>): Result | undefined {
  if (row.model_sha256 === null || row.model_sha256 === undefined) return undefined;
  return {
    thing: row.thing,
    instrument: row.instrument,
    boot: row.boot,
    sequence: row.sequence,
    channel: row.channel,
    sampleTimeMs: row.sample_time_ms,
    sampleTimeUncertaintyMs: row.sample_time_uncertainty_ms,
    value: row.value,
    unit: row.unit,
    quality: row.quality,
    ...(row.quality_cause ? { qualityCause: row.quality_cause } : {}),
    calibrationId: row.calibration_id,
    modelSha256: row.model_sha256,
  };
}

/** Within its thing. */
export function shelfKey({ instrument, channel }: Result): string {
  return `${instrument}#${channel}`;
}

/** Texts that sort as the instrument counted. */
export function order({ boot, sequence }: Result): string {
  return `${String(boot).padStart(10, "0")}.${String(sequence).padStart(16, "0")}`;
}

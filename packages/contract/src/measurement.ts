import * as z from "zod";
import { InstrumentId, Sha256 } from "./ids.ts";

/** How far a value can be trusted, and why not further. `good` has no cause. */
export const Quality = z.discriminatedUnion("level", [
  z.object({ level: z.literal("good") }),
  z.object({
    level: z.enum(["uncertain", "bad"]),
    cause: z.enum([
      "stale",
      "clipped",
      "clogged",
      "gap",
      "uncalibrated",
      "self-test",
      "out-of-range",
      "instrument",
    ]),
  }),
]);
export type Quality = z.infer<typeof Quality>;

/** Where a computed value came from: the exact model, and the input it read. */
export const Derivation = z.object({
  modelSha256: Sha256,
  preprocessingVersion: z.int().nonnegative(),
  /** First and last input sequence number, inclusive, of the same instrument and boot. */
  inputFrom: z.int().nonnegative(),
  inputTo: z.int().nonnegative(),
  /** The model by name, which its SHA-256 implies; the lake keeps the SHA-256 alone. */
  modelComponent: z.string().max(128).optional(),
  modelVersion: z.string().max(64).optional(),
  /** What was made of the model's answer: calibration, thresholds, hysteresis. Absent where nothing was. */
  postprocessingVersion: z.int().nonnegative().optional(),
});
export type Derivation = z.infer<typeof Derivation>;

/**
 * One typed point. `instrument`, `boot` and `sequence` with `channel` name it for ever: a point seen twice is the same
 * point. A computed point carries the sequence number of the last input it read, on a channel of its own.
 */
export const Measurement = z.object({
  instrument: InstrumentId,
  /** How often the instrument has started; with `sequence` it orders everything the instrument ever said. */
  boot: z.int().nonnegative(),
  sequence: z.int().nonnegative(),
  /** What was measured, e.g. `shear-rate`, `apparent-viscosity`, `residual`. */
  channel: z.string().regex(/^[a-z0-9-]{1,64}$/),
  /** When it was sampled: milliseconds since the Unix epoch, and how wrong that may be (±, ms). */
  sampleTimeMs: z.number(),
  sampleTimeUncertaintyMs: z.number().nonnegative(),
  value: z.number(),
  /** A UCUM code, e.g. `mPa.s`, `/s`, `Cel`, `1`. @see https://ucum.org */
  unit: z.string().max(32),
  quality: Quality,
  calibrationId: z.string().max(64),
  derivation: Derivation.optional(),
});
export type Measurement = z.infer<typeof Measurement>;

/** Largest batch on a local topic; keeps an IPC message far below its 24 MiB limit, and Lite's smaller one. */
export const MEASUREMENTS_PER_BATCH_MAX = 500;

/** A publisher's name for a batch: unique for as long as any of its points may still be published again. */
export const BatchId = z.string().regex(/^[a-zA-Z0-9._:-]{1,128}$/);

/** Points travel in batches on `topics.measurements`. All points of a batch are of one instrument and boot. */
export const MeasurementBatch = z.object({
  version: z.literal(1),
  batch: BatchId,
  points: z.array(Measurement).min(1).max(MEASUREMENTS_PER_BATCH_MAX),
});
export type MeasurementBatch = z.infer<typeof MeasurementBatch>;

/** The columns of the lake, in order: the Parquet schema, and what queries and the API name. */
export const lakeColumns = [
  { name: "thing", type: "STRING" },
  { name: "instrument", type: "STRING" },
  { name: "boot", type: "INT32" },
  { name: "sequence", type: "INT64" },
  { name: "channel", type: "STRING" },
  { name: "sample_time_ms", type: "DOUBLE" },
  { name: "sample_time_uncertainty_ms", type: "DOUBLE" },
  { name: "value", type: "DOUBLE" },
  { name: "unit", type: "STRING" },
  { name: "quality", type: "STRING" },
  { name: "quality_cause", type: "STRING" },
  { name: "calibration_id", type: "STRING" },
  { name: "model_sha256", type: "STRING" },
  { name: "preprocessing_version", type: "INT32" },
  { name: "input_from", type: "INT64" },
  { name: "input_to", type: "INT64" },
] as const;

import type { PointColumns } from "./batch-record.ts";

/** A point as one line of JSON, under the names that the lake's columns have; what has no value is left out. */
export function pointLine(thing: string, points: PointColumns, at: number): string {
  const kind = points.kinds[points.kind[at] ?? 0];
  const isComputed = kind !== undefined && kind.modelSha256 !== null;
  return JSON.stringify({
    thing,
    instrument: points.instrument,
    boot: points.boot,
    sequence: points.sequence[at],
    channel: kind?.channel,
    sample_time_ms: points.sampleTimeMs[at],
    sample_time_uncertainty_ms: points.sampleTimeUncertaintyMs[at],
    value: points.value[at],
    unit: kind?.unit,
    quality: kind?.quality,
    quality_cause: kind?.cause ?? undefined,
    calibration_id: kind?.calibrationId,
    ...(isComputed
      ? {
          model_sha256: kind.modelSha256,
          preprocessing_version: kind.preprocessingVersion,
          input_from: points.inputFrom?.[at],
          input_to: points.inputTo?.[at],
        }
      : {}),
  });
}

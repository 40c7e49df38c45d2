import type { Measurement } from "@coalmine/contract";
import type { Model } from "@coalmine/ports";
import type { FlowCurve } from "./flow-curve.ts";
import type { Manifest } from "./manifest.ts";

export interface Score {
  readonly viscosity: number;
  readonly class: string;
  readonly classIndex: number;
  readonly probability: number;
}

/** The model's input for a curve: log10 of the shear rates in rising order, log10 of their viscosities, two means. */
export function features(curve: FlowCurve): number[] {
  const points = curve.points.toSorted((a, b) => a.shearRate - b.shearRate);
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  return [
    ...points.map((point) => Math.log10(Math.max(point.shearRate, 1e-6))),
    ...points.map((point) => Math.log10(Math.max(point.viscosity, 1e-6))),
    mean(points.map((point) => point.temperature)),
    mean(points.map((point) => point.haematocrit)),
  ];
}

/** Runs the model on one input row. Throws what the model throws, and where the answer is not of the manifest's shape. */
export async function score(model: Model, manifest: Manifest, input: readonly number[]): Promise<Score> {
  const answer = await model.run({
    [manifest.input.name]: {
      type: "float32",
      data: Float32Array.from(input),
      shape: [1, manifest.input.width],
    },
  });
  const viscosity = Number(answer[manifest.outputs.viscosity.name]?.data[0]);
  const probabilities = Array.from(answer[manifest.outputs.classes.name]?.data ?? [], Number);
  const { labels } = manifest.outputs.classes;
  if (
    !Number.isFinite(viscosity) ||
    probabilities.length !== labels.length ||
    !probabilities.every(Number.isFinite)
  ) {
    throw new Error(
      `the model's answer is not what its manifest says: viscosity ${viscosity}, ${probabilities.length} of ${labels.length} classes`,
    );
  }
  const classIndex = probabilities.indexOf(Math.max(...probabilities));
  return {
    viscosity,
    class: labels[classIndex] ?? "",
    classIndex,
    probability: probabilities[classIndex] ?? 0,
  };
}

/** The points that a scored curve gives, named by the curve's last sequence number. */
export function results(curve: FlowCurve, scored: Score, manifest: Manifest): Measurement[] {
  const point = (channel: string, value: number, unit: string): Measurement => ({
    instrument: curve.instrument,
    boot: curve.boot,
    sequence: curve.to,
    channel,
    sampleTimeMs: curve.sampleTimeMs,
    sampleTimeUncertaintyMs: curve.sampleTimeUncertaintyMs,
    value,
    unit,
    quality: curve.quality,
    calibrationId: curve.calibrationId,
    derivation: {
      modelSha256: manifest.sha256,
      preprocessingVersion: manifest.preprocessing.version,
      inputFrom: curve.from,
      inputTo: curve.to,
    },
  });
  return [
    point("blood-viscosity", scored.viscosity, manifest.outputs.viscosity.unit),
    point("abnormality", scored.classIndex, "1"),
    point("abnormality-probability", scored.probability, "1"),
  ];
}

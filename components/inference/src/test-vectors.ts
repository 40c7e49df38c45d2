import type { Tensor } from "@coalmine/ports";
import type { Manifest } from "./manifest.ts";
import { feeds, type Score, scores } from "./score.ts";

/** The input of each test vector, one run each. */
export function vectorFeeds(manifest: Manifest): Readonly<Record<string, Tensor>>[] {
  return manifest.testVectors.vectors.map(({ input }) =>
    feeds([{ input: Float32Array.from(input) }], manifest),
  );
}

export function vectorScores(
  answers: readonly Readonly<Record<string, Tensor>>[],
  manifest: Manifest,
): Score[] {
  return answers.flatMap((answer) => scores(answer, manifest, 1));
}

/** Throws where the model does not say what its manifest expects; says both. */
export function holdToVectors(told: readonly Score[], { testVectors, outputs }: Manifest): void {
  for (const [index, vector] of testVectors.vectors.entries()) {
    const score = told[index];
    const label = outputs.classes.labels[score?.classIndex ?? -1];
    const error = Math.abs((score?.value ?? Number.NaN) / vector.value - 1);
    if (!(error <= testVectors.relativeTolerance) || label !== vector.class)
      throw new Error(
        `test vector ${index} gives ${outputs.value.name} ${score?.value} and class ${label}, its manifest says ${vector.value} (within ${testVectors.relativeTolerance * 100} %) and ${vector.class}`,
      );
  }
}

import type { Tensor } from "@coalmine/ports";
import type { Manifest } from "./manifest.ts";
import type { Window } from "./window.ts";

/** What a model says of one window, before anything is made of it. */
export interface Score {
  readonly value: number;
  readonly probabilities: readonly number[];
  /** Of the likeliest class. */
  readonly classIndex: number;
  readonly probability: number;
}

/** The model's input for some windows, a row each. */
export function feeds(
  windows: readonly Pick<Window, "input">[],
  { input }: Manifest,
): Record<string, Tensor> {
  const data = new Float32Array(windows.length * input.width);
  for (const [index, window] of windows.entries()) data.set(window.input, index * input.width);
  return { [input.name]: { type: "float32", data, shape: [windows.length, input.width] } };
}

/** Reads a model's answer for `count` rows. Throws where it is not of the manifest's shape, or not finite. */
export function scores(
  answer: Readonly<Record<string, Tensor>>,
  { outputs }: Manifest,
  count: number,
): Score[] {
  const values = answer[outputs.value.name]?.data;
  const probabilities = answer[outputs.classes.name]?.data;
  const { labels } = outputs.classes;
  if (values?.length !== count || probabilities?.length !== count * labels.length)
    throw new Error(
      `the model's answer is not what its manifest says: ${values?.length ?? "no"} numbers in ${outputs.value.name} and ${probabilities?.length ?? "no"} in ${outputs.classes.name} for ${count} windows of ${labels.length} classes`,
    );
  const all: Score[] = [];
  for (let row = 0; row < count; row++) {
    const of: number[] = [];
    let classIndex = 0;
    let isFinite = Number.isFinite(Number(values[row]));
    for (let index = 0; index < labels.length; index++) {
      const probability = Number(probabilities[row * labels.length + index]);
      of.push(probability);
      if (probability > (of[classIndex] ?? 0)) classIndex = index;
      isFinite &&= Number.isFinite(probability);
    }
    if (!isFinite)
      throw new Error(
        `the model's answer is not finite: ${outputs.value.name} ${values[row]}, ${outputs.classes.name} ${of.join(", ")}`,
      );
    all.push({
      value: Number(values[row]),
      probabilities: of,
      classIndex,
      probability: of[classIndex] ?? Number.NaN,
    });
  }
  return all;
}

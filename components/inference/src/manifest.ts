import { ComponentName, ComponentVersion, Sha256 } from "@coalmine/contract";
import * as z from "zod";

/** What a model says of itself in the `manifest.json` beside its ONNX file. */

const Channel = z.string().regex(/^[a-z0-9-]{1,57}$/);

export const Statistic = z.enum([
  "mean",
  "deviation",
  "rms",
  "minimum",
  "maximum",
  "skewness",
  "kurtosis",
  "zero-crossings",
]);
export type Statistic = z.infer<typeof Statistic>;

export const SignalStep = z.discriminatedUnion("op", [
  /** Less the mean (0), or less the line of least squares (1). */
  z.object({ op: z.literal("detrend"), order: z.union([z.literal(0), z.literal(1)]) }),
  z
    .object({
      op: z.literal("filter"),
      kind: z.enum(["low-pass", "high-pass"]),
      cutoffHz: z.number().positive(),
      sampleRateHz: z.number().positive(),
    })
    .refine((step) => step.cutoffHz < step.sampleRateHz / 2, {
      message: "cutoffHz must be below half of sampleRateHz",
    }),
  z.object({ op: z.literal("statistics"), names: z.array(Statistic).min(1) }),
]);
export type SignalStep = z.infer<typeof SignalStep>;

const FlowCurvePreprocessing = z.object({
  version: z.int().nonnegative(),
  kind: z.literal("flow-curve"),
  points: z.int().min(2).max(1000),
});
const SignalPreprocessing = z.object({
  version: z.int().nonnegative(),
  kind: z.literal("signal"),
  channel: Channel,
  /** A window is this many consecutive samples, and one begins every `hop`. */
  samples: z.int().min(2).max(4096),
  hop: z.int().min(1).max(4096),
  steps: z.array(SignalStep).max(8),
});
export type SignalPreprocessing = z.infer<typeof SignalPreprocessing>;

/** What is made of the model's answer, in this order. `version` is raised with any change of it. */
export const Postprocessing = z.object({
  version: z.int().positive(),
  /** value ← scale · value + offset */
  calibrate: z.object({ scale: z.number(), offset: z.number() }).optional(),
  /** Below this probability of the likeliest class the model abstains. */
  threshold: z.object({ probabilityMin: z.number().min(0).max(1) }).optional(),
  /** An alarm per instrument: on after `windows` in turn at or above `enter`, off after as many at or below `leave`. */
  hysteresis: z
    .object({
      classes: z.array(z.string()).min(1),
      enter: z.number().min(0).max(1),
      leave: z.number().min(0).max(1),
      windows: z.int().min(1).max(100),
    })
    .refine((of) => of.leave < of.enter, { message: "leave must be below enter" })
    .optional(),
});
export type Postprocessing = z.infer<typeof Postprocessing>;

/** How a quantity was distributed in training: `shares[i]` lies below `edges[i]`, the last share above the last edge. */
export const Histogram = z
  .object({
    name: z.string(),
    edges: z.array(z.number()).min(1).max(100),
    shares: z.array(z.number().nonnegative()),
  })
  .refine((of) => of.shares.length === of.edges.length + 1, { message: "one share more than edges" });
export type Histogram = z.infer<typeof Histogram>;

const Drift = z.object({
  inputs: z.array(z.intersection(Histogram, z.object({ column: z.int().nonnegative() }))),
  /** Of the value before calibration, and of the likeliest class's probability. */
  value: Histogram.optional(),
  probability: Histogram.optional(),
});

const Value = z.object({ name: z.string(), unit: z.string(), channel: Channel.optional() });

/** A value and the probabilities of classes. A model of viscosities may call its value `viscosity`. */
const Outputs = z
  .object({
    value: Value.optional(),
    viscosity: Value.optional(),
    classes: z.object({ name: z.string(), labels: z.array(z.string()).min(2).max(100) }),
  })
  .transform(({ value, viscosity, classes }, context) => {
    const found = value ?? viscosity;
    if (found === undefined) {
      context.addIssue("outputs names no value");
      return z.NEVER;
    }
    const channel = found.channel ?? (value === undefined ? "blood-viscosity" : "value");
    return { value: { ...found, channel }, classes };
  });

const TestVector = z
  .object({
    input: z.array(z.number()),
    value: z.number().optional(),
    viscosity: z.number().optional(),
    class: z.string(),
  })
  .transform(({ input, value, viscosity, class: label }) => ({
    input,
    value: value ?? viscosity ?? Number.NaN,
    class: label,
  }));

export const Manifest = z
  .object({
    component: ComponentName,
    /** Not in an artifact, which never holds its own version: there it is the one that the configuration names. */
    version: ComponentVersion.optional(),
    file: z.literal("model.onnx"),
    sha256: Sha256,
    preprocessing: z.discriminatedUnion("kind", [FlowCurvePreprocessing, SignalPreprocessing]),
    postprocessing: Postprocessing.optional(),
    input: z.object({ name: z.string(), width: z.int().positive() }),
    outputs: Outputs,
    testVectors: z.object({
      relativeTolerance: z.number().positive(),
      vectors: z.array(TestVector).min(1).max(64),
    }),
    drift: Drift.optional(),
  })
  .superRefine(({ testVectors, input, preprocessing, postprocessing, outputs, drift }, context) => {
    for (const [index, vector] of testVectors.vectors.entries())
      if (vector.input.length !== input.width)
        context.addIssue(
          `test vector ${index} has ${vector.input.length} numbers, input.width is ${input.width}`,
        );
    const width = preprocessedWidth(preprocessing);
    if (width !== input.width)
      context.addIssue(`preprocessing gives ${width} numbers a window, input.width is ${input.width}`);
    for (const label of postprocessing?.hysteresis?.classes ?? [])
      if (!outputs.classes.labels.includes(label))
        context.addIssue(
          `hysteresis names the class "${label}"; there are ${outputs.classes.labels.join(", ")}`,
        );
    for (const { name, column } of drift?.inputs ?? [])
      if (column >= input.width) context.addIssue(`drift of ${name}: column ${column} of ${input.width}`);
  });
export type Manifest = z.infer<typeof Manifest>;

function preprocessedWidth(of: Manifest["preprocessing"]): number {
  if (of.kind === "flow-curve") return 2 * of.points + 2;
  return of.steps.reduce((width, step) => (step.op === "statistics" ? step.names.length : width), of.samples);
}

import { Sha256 } from "@coalmine/contract";
import * as z from "zod";

/** What a model says of itself in the `manifest.json` beside its ONNX file. */
export const Manifest = z.object({
  component: z.string(),
  file: z.literal("model.onnx"),
  sha256: Sha256,
  preprocessing: z.object({
    version: z.int().nonnegative(),
    kind: z.literal("flow-curve"),
    points: z.int().min(2).max(1000),
  }),
  input: z.object({ name: z.string(), width: z.int().positive() }),
  outputs: z.object({
    viscosity: z.object({ name: z.string(), unit: z.string() }),
    classes: z.object({ name: z.string(), labels: z.array(z.string()).min(2).max(100) }),
  }),
  testVectors: z.object({
    relativeTolerance: z.number().positive(),
    vectors: z
      .array(z.object({ input: z.array(z.number()), viscosity: z.number(), class: z.string() }))
      .min(1),
  }),
});
export type Manifest = z.infer<typeof Manifest>;

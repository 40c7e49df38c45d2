import { ComponentName, ComponentVersion, Sha256 } from "@coalmine/contract";
import * as z from "zod";

/** The recipe's DefaultConfiguration, and what a deployment may change in it. */
export const Config = z.strictObject({
  /** Which model serves. A deployment changes all three together; the swap needs no restart. */
  model: z.strictObject({
    component: ComponentName,
    version: ComponentVersion,
    /** Of the ONNX file, as the model's manifest has it. */
    sha256: Sha256,
  }),
  /** How often the component reports its health, in seconds. */
  healthIntervalSeconds: z.number().min(1).max(3600).default(60),
  /** After this long without acknowledgement a result is published again, in seconds. */
  republishSeconds: z.number().min(1).max(3600).default(30),
});
export type Config = z.infer<typeof Config>;

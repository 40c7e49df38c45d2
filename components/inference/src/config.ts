import { ComponentName, ComponentVersion, Sha256 } from "@coalmine/contract";
import * as z from "zod";

/** Beyond 64 windows a run gains little more per window, and its input would outgrow the ring's slot. */
export const BATCH_WINDOWS_MAX = 64;

const ModelReference = z.strictObject({
  component: ComponentName.describe("The model's component."),
  componentVersion: ComponentVersion.describe(
    "Its version. A leaf called `version` would make a nucleus install inference anew.",
  ),
  version: ComponentVersion.optional().describe("What `componentVersion` was called; not read."),
  sha256: Sha256.describe("Of the ONNX file, as the model's manifest has it."),
});
export type ModelReference = z.infer<typeof ModelReference>;

/** The recipe's DefaultConfiguration, and what a deployment may change in it. */
export const Config = z.strictObject({
  model: ModelReference.describe(
    "Which model serves. A deployment changes all three together; the swap needs no restart.",
  ),
  shadow: ModelReference.nullable()
    .default(null)
    .describe("A candidate that sees the same windows and whose results nobody acts on; null ends that."),
  healthIntervalSeconds: z
    .number()
    .min(1)
    .max(3600)
    .default(60)
    .describe("How often the component reports its health."),
  republishSeconds: z
    .number()
    .min(1)
    .max(3600)
    .default(30)
    .describe("After this long without acknowledgement a result is published again."),
  batchWindowsMax: z
    .int()
    .min(1)
    .max(BATCH_WINDOWS_MAX)
    .default(BATCH_WINDOWS_MAX)
    .describe("Most windows in one run."),
  batchAgeMs: z
    .number()
    .min(0)
    .max(10_000)
    .default(0)
    .describe("How long a window may wait for others to fill its batch; 0 runs what is there."),
  deadlineMs: z
    .number()
    .min(10)
    .max(600_000)
    .default(30_000)
    .describe("A window that has no result after this long has failed."),
  windowsWaitingMax: z
    .int()
    .min(1)
    .max(20_000)
    .default(200)
    .describe("Windows that wait for the model; beyond this the oldest has failed."),
  runMsMax: z
    .number()
    .min(1)
    .max(60_000)
    .default(1000)
    .describe("A candidate whose run of one window takes longer than this may not serve."),
  trialMsMax: z
    .number()
    .min(1000)
    .max(600_000)
    .default(30_000)
    .describe("A candidate's trial in a process of its own, from its start to its last test vector."),
});
export type Config = z.infer<typeof Config>;

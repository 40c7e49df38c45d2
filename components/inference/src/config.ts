import { ComponentName, ComponentVersion, Sha256 } from "@coalmine/contract";
import * as z from "zod";

/** Beyond 64 windows a run gains little more per window, and its input would outgrow the ring's slot. */
export const BATCH_WINDOWS_MAX = 64;

const ModelReference = z.strictObject({
  component: ComponentName,
  version: ComponentVersion,
  /** Of the ONNX file, as the model's manifest has it. */
  sha256: Sha256,
});
export type ModelReference = z.infer<typeof ModelReference>;

/** The recipe's DefaultConfiguration, and what a deployment may change in it. */
export const Config = z.strictObject({
  /** Which model serves. A deployment changes all three together; the swap needs no restart. */
  model: ModelReference,
  /** A candidate that sees the same windows and whose results nobody acts on; null ends that. */
  shadow: ModelReference.nullable().default(null),
  /** How often the component reports its health, in seconds. */
  healthIntervalSeconds: z.number().min(1).max(3600).default(60),
  /** After this long without acknowledgement a result is published again, in seconds. */
  republishSeconds: z.number().min(1).max(3600).default(30),
  /** Most windows in one run. */
  batchWindowsMax: z.int().min(1).max(BATCH_WINDOWS_MAX).default(BATCH_WINDOWS_MAX),
  /** How long a window may wait for others to fill its batch, in milliseconds; 0 runs what is there. */
  batchAgeMs: z.number().min(0).max(10_000).default(0),
  /** A window that has no result after this long has failed, in milliseconds. */
  deadlineMs: z.number().min(10).max(600_000).default(30_000),
  /** Windows that wait for the model; beyond this the oldest has failed. */
  windowsWaitingMax: z.int().min(1).max(20_000).default(200),
  /** A candidate whose run of one window takes longer than this may not serve, in milliseconds. */
  runMsMax: z.number().min(1).max(60_000).default(1000),
  /** A candidate's trial in a process of its own, from its start to its last test vector, in milliseconds. */
  trialMsMax: z.number().min(1000).max(600_000).default(30_000),
});
export type Config = z.infer<typeof Config>;

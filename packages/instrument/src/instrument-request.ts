import { InstrumentId, SelfTestOutcome } from "@coalmine/contract";
import * as z from "zod";
import { CalibrationRecord } from "./guided-calibration/guided-calibration.ts";
import { ReferenceFluid } from "./guided-calibration/reference-fluid.ts";

const asked = { version: z.literal(1), id: z.string().min(1).max(64) };
const port = z.string().min(1).max(256);
const by = z.string().min(1).max(128);

/** On `topics.instrumentRequests`; the answers carry the same `id`. */
export const InstrumentRequest = z.discriminatedUnion("kind", [
  /** Every instrument on this port, by its stable id. */
  z.strictObject({ ...asked, kind: z.literal("self-test"), port }),
  z.strictObject({ ...asked, kind: z.literal("calibration-begin"), port, reference: ReferenceFluid }),
  /** The technician has done what the present step asks for. */
  z.strictObject({ ...asked, kind: z.literal("calibration-done"), port }),
  z.strictObject({ ...asked, kind: z.literal("calibration-accept"), port, by }),
  z.strictObject({ ...asked, kind: z.literal("calibration-leave"), port }),
  z.strictObject({ ...asked, kind: z.literal("calibration-undo"), instrument: InstrumentId, by }),
  z.strictObject({ ...asked, kind: z.literal("calibration-history"), instrument: InstrumentId }),
]);
export type InstrumentRequest = z.infer<typeof InstrumentRequest>;

/** On `topics.instrumentAnswers`. */
export const InstrumentAnswer = z.discriminatedUnion("kind", [
  /** Nothing was done; why, and what to do. */
  z.object({ ...asked, kind: z.literal("refused"), because: z.string() }),
  z.object({ ...asked, kind: z.literal("self-test"), port, outcomes: z.array(SelfTestOutcome) }),
  /** Where a calibration stands; `text` is what to do there, or why it ended. More follow by themselves while it measures. */
  z.object({
    ...asked,
    kind: z.literal("calibration"),
    port,
    instrument: InstrumentId,
    step: z.enum(["flush", "fill", "settle", "measure", "decide", "refused", "written"]),
    text: z.string(),
    /** With `decide`: what was found. */
    found: z
      .object({
        uncertainty: z.number(),
        deviation: z.number(),
        meanTemperature: z.number(),
        repeatability: z.number(),
      })
      .optional(),
  }),
  /** The newest of them; the last is in force unless a deployment brought another curve since. */
  z.object({
    ...asked,
    kind: z.literal("calibration-history"),
    instrument: InstrumentId,
    records: z.array(CalibrationRecord),
  }),
]);
export type InstrumentAnswer = z.infer<typeof InstrumentAnswer>;

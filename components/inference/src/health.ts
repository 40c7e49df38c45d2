import { healthKeys } from "@coalmine/contract";
import type { HealthReport } from "@coalmine/runtime";
import type { FailureCause } from "./scoring.ts";

/** `windows` = `results` + `failed` + `pending`, and `failed` is the sum of its causes. */
export const failedBy = {
  late: "failedLate",
  overflow: "failedOverflow",
  model: "failedModel",
  worker: "failedWorker",
  outbox: "failedOutbox",
  stopped: "failedStopped",
} as const satisfies Readonly<Record<FailureCause, string>>;

const keys = {
  counters: [
    ...healthKeys.inference.counters,
    ...Object.values(failedBy),
    "modelFallbacks",
    "workersLost",
    /** Quantities of a block of windows that were not distributed as in training; shifts of the value's mean. */
    "driftsFound",
    "shiftsFound",
  ],
  gauges: [
    ...healthKeys.inference.gauges,
    "pending",
    "pointsDropped",
    "driftInputPsi",
    "driftInputKs",
    "driftOutputPsi",
    "driftOutputKs",
    /** Of the evidence for a shift, as a share of what tells one. */
    "shiftLevel",
    /** Of the shadow since it began; all 0 without one. */
    "shadowWindows",
    "shadowAgreed",
    "shadowFailed",
    "shadowSkipped",
    "shadowKappa",
    "shadowDifferenceMean",
  ],
  sums: healthKeys.inference.sums,
} as const;

export type InferenceHealth = HealthReport<typeof keys>;
export { keys as inferenceHealth };

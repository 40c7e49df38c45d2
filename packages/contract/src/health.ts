import * as z from "zod";
import { ComponentName, ComponentVersion, ThingName } from "./ids.ts";

const Counts = z.custom<Record<string, number>>(
  (value) => isRecordOf(value, isCount),
  "expected whole numbers from 0, by name",
);
const Gauges = z.custom<Record<string, number>>(
  (value) => isRecordOf(value, (member) => Number.isFinite(member)),
  "expected finite numbers, by name",
);
const Sums = z.custom<Record<string, { sum: number; count: number }>>(
  (value) => isRecordOf(value, isSum),
  "expected sums with their counts, by name",
);

/** Whether every member of a plain object is so. Checking them with a schema each takes many times as long. */
export function isRecordOf(value: unknown, isMember: (member: unknown) => boolean): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const members: unknown[] = Object.values(value);
  return members.every((member) => isMember(member));
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isSum(value: unknown): boolean {
  if (typeof value !== "object" || value === null || !("sum" in value) || !("count" in value)) return false;
  return Number.isFinite(value.sum) && isCount(value.count);
}

/**
 * What a component says of itself on `topics.health`. Counters are cumulative since the component started (`startedMs`
 * tells a restart from a reset) and whole; gauges are the present value; means carry their count, so that rows add up.
 */
export const ComponentHealth = z.object({
  version: z.literal(1),
  component: ComponentName,
  componentVersion: ComponentVersion,
  startedMs: z.number(),
  counters: Counts,
  gauges: Gauges,
  /** name → sum and count of what was observed, cumulative, in the unit its name ends with. */
  sums: Sums,
});
export type ComponentHealth = z.infer<typeof ComponentHealth>;

/** One device, one minute: what stream-uploader last heard of each component, and how long ago that was. */
export const Heartbeat = z.object({
  version: z.literal(1),
  thing: ThingName,
  sentMs: z.number(),
  /** Counts heartbeats since the uploader started; a gap shows a lost one. */
  sequence: z.int().nonnegative(),
  components: z.array(ComponentHealth.extend({ ageMs: z.number().nonnegative() })),
});
export type Heartbeat = z.infer<typeof Heartbeat>;

/**
 * The counters, gauges and sums that the judge and the operator rely on. A component may add its own. `…Ms`, `…Bytes`
 * and so on at the end is the unit; without one it is a count.
 */
export const healthKeys = {
  sensorReader: {
    counters: [
      "framesReceived",
      "framesRefused",
      "readings",
      "gaps",
      "reconnects",
      "published",
      "acknowledged",
      "replayed",
      // On disk from an earlier life of the reader: readings + restored = acknowledged + unacknowledged.
      "restored",
      // Published although the disk did not take them: they are lost if the reader dies before they are acknowledged.
      "unkept",
      // Polled instruments: ticks = their readings + missedTicks.
      "ticks",
      "missedTicks",
      "timeouts",
      "exceptions",
      "lateReplies",
      // Lines of text that came while the bound on unacknowledged readings was reached.
      "dropped",
    ],
    /** How long the present sample has been running, and an update waiting for it; 0 where there is none. */
    gauges: ["unacknowledged", "backlogBytes", "portsOpen", "sampleMs", "updateWaitsMs"],
    /** Relative residual against the control fluid, |measured/reference − 1|, one observation a control reading. */
    sums: ["controlResidual"],
  },
  inference: {
    counters: ["windows", "results", "failed", "modelSwaps"],
    gauges: ["modelReady"],
    sums: ["runMs", "latencyMs"],
  },
  streamUploader: {
    counters: [
      /** Points: received = durable + duplicates + refused. */
      "received",
      "durable",
      "duplicates",
      "refused",
      /** Points that could not be stored now; their publishers keep them and come again. */
      "deferred",
      "uploadedPoints",
      "uploadedObjects",
      "uploadFailures",
      "heartbeats",
      /** Log records that were lost to damage, and given up to make room. */
      "lostRecords",
      "overwrittenRecords",
      /** Points that a sink did not get, by cause; a point that two sinks did not get counts twice. */
      "quarantinedPoints",
      "expiredPoints",
      "overwrittenPoints",
      "downsampledPoints",
      "droppedPoints",
      "lostPoints",
    ],
    /** `drainMs`: until the backlog is gone, at the speed of the last upload; −1 where it is not known. */
    gauges: [
      "backlogPoints",
      "backlogBytes",
      "oldestAgeMs",
      "diskFreeBytes",
      "logBytes",
      "alarmBacklogPoints",
      "drainMs",
    ],
    sums: ["commitMs", "uploadMs"],
  },
  logManager: {
    /** `lines` = uploaded + filtered + rejected by cause + lost + pending, at any moment. */
    counters: [
      "lines",
      "uploadedLines",
      "filteredLines",
      "rejectedTooOldLines",
      "rejectedTooNewLines",
      "rejectedExpiredLines",
      "rejectedInvalidLines",
      "lostLines",
      "uploadedEvents",
      // Of them those that went with another time than they state, since the clock was set.
      "correctedEvents",
      "clockSteps",
      "rejectedEvents",
      "lostBytes",
      "truncations",
      "redactions",
      "uploadFailures",
      // Requests that waited for the rate of log-manager's own.
      "delayedRequests",
      "deadLettersDropped",
      "deadLettersUploaded",
      "deadLetterUploadFailures",
      "localEventsDropped",
      "checkpointFailures",
    ],
    gauges: ["pendingLines", "lagBytes", "lagMs", "deadLetterBytes"],
    sums: ["uploadMs"],
  },
} as const;

import * as z from "zod";
import { ComponentName, ComponentVersion, ThingName } from "./ids.ts";

/**
 * What a component says of itself on `topics.health`. Counters are cumulative since the component started (`startedMs`
 * tells a restart from a reset) and whole; gauges are the present value; means carry their count, so that rows add up.
 */
export const ComponentHealth = z.object({
  version: z.literal(1),
  component: ComponentName,
  componentVersion: ComponentVersion,
  startedMs: z.number(),
  counters: z.record(z.string(), z.int().nonnegative()),
  gauges: z.record(z.string(), z.number()),
  /** name → sum and count of what was observed, cumulative, in the unit its name ends with. */
  sums: z.record(z.string(), z.object({ sum: z.number(), count: z.int().nonnegative() })),
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
      // Polled instruments: ticks = their readings + missedTicks.
      "ticks",
      "missedTicks",
      "timeouts",
      "exceptions",
      "lateReplies",
      // Lines of text that came while the bound on unacknowledged readings was reached.
      "dropped",
    ],
    gauges: ["unacknowledged", "portsOpen"],
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
      "received",
      "durable",
      "duplicates",
      "refused",
      "uploadedPoints",
      "uploadedObjects",
      "uploadFailures",
      "heartbeats",
    ],
    gauges: ["backlogPoints", "backlogBytes", "oldestAgeMs", "diskFreeBytes"],
    sums: ["commitMs", "uploadMs"],
  },
  logManager: {
    counters: ["lines", "uploadedEvents", "rejectedEvents", "lostBytes", "uploadFailures"],
    gauges: ["lagBytes"],
    sums: ["uploadMs"],
  },
} as const;

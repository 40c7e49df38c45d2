import * as z from "zod";
import { DeviceRow, Versions } from "./fleets.ts";
import { LogLine } from "./device.ts";

/** `event: entry`: something was written to a rollout's log. */
export const EntryEvent = z.object({
  rollout: z.string(),
  sequence: z.int(),
  atMs: z.number(),
  kind: z.string(),
});
export type EntryEvent = z.infer<typeof EntryEvent>;

/** `event: device`: something was heard of a device; the row is as it stands with it. */
export const DeviceEvent = z.object({
  /** `time`: nothing was heard, and that is what changed it; or it has changed its group. */
  source: z.enum(["heartbeat", "connection", "fleetStatus", "job", "time"]),
  atMs: z.number(),
  row: DeviceRow,
  /** What `row.set` names, where it is new to the stream. */
  versions: Versions.optional(),
});
export type DeviceEvent = z.infer<typeof DeviceEvent>;

/** `event: reload`: more came than is told one by one; ask for the devices of this fleet again. */
export const ReloadEvent = z.object({ fleet: z.string() });
export type ReloadEvent = z.infer<typeof ReloadEvent>;

/**
 * `event: beat`: the stream is alive. Ages grow by what the fleet's clock moved since: fleet → its time.
 * A page that hears neither beat nor event for `QUIET_MS_MAX` is cut off, and says so.
 */
export const BeatEvent = z.object({ nowMs: z.record(z.string(), z.number()) });
export type BeatEvent = z.infer<typeof BeatEvent>;

export const QUIET_MS_MAX = 60_000;

/**
 * Both streams are server-sent events: `id` is a place, and who comes back with it as `Last-Event-ID` gets what came
 * since, each once. `event: place` comes first and carries only that. A stream may end at any time; come back.
 */
export const streamEvents = {
  entry: EntryEvent,
  device: DeviceEvent,
  reload: ReloadEvent,
  beat: BeatEvent,
} as const;

export const logEvents = { line: LogLine } as const;

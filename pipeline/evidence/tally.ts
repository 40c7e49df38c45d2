import type { UpdateWait } from "@coalmine/contract/update-wait";
import * as z from "zod";
import type { DeviceTotals } from "../policy-evidence.ts";
import { HeartbeatRow, type EvidenceRow } from "./row.ts";

/** Heartbeats that may fail to come, and minutes that a component may say nothing, before it counts as silent. */
export const SILENT_AFTER_MS = 3 * 60_000;
/** So many restarts of one component within this time are a crash loop; an update makes one. */
const CRASH_LOOP = { restarts: 3, withinMs: 30 * 60_000 };

/** What all rows up to a moment say of one device. Plain data: it is kept beside the looks. */
const DeviceTally = z.object({
  /** The last heartbeat, with what was last said of each component. */
  last: HeartbeatRow.optional(),
  /** Since the window began: */
  heard: z.number(),
  counters: z.record(z.string(), z.number()),
  sums: z.record(z.string(), z.tuple([z.number(), z.number()])),
  components: z.array(z.string()),
  /** Component → when restarts showed. */
  restarts: z.record(z.string(), z.array(z.number())),
  connection: z.object({ connected: z.boolean(), atMs: z.number() }).optional(),
  status: z.object({ healthy: z.boolean(), broken: z.array(z.string()) }).optional(),
  /** The last job execution within the window. */
  job: z.object({ status: z.string(), atMs: z.number(), reason: z.string().optional() }).optional(),
});
export type DeviceTally = z.infer<typeof DeviceTally>;

/** Thing → tally. */
export const Tally = z.record(z.string(), DeviceTally);
export type Tally = z.infer<typeof Tally>;

/**
 * Takes a row into the tally of a window that begins at `fromMs`. Rows before it tell where counters stood. Counters
 * are cumulative since a component's start, so a new start counts from zero, and what comes twice adds nothing.
 */
export function takeRow(tally: Tally, row: EvidenceRow, fromMs: number): void {
  const device = (tally[row.thing] ??= emptyTally());
  switch (row.source) {
    case "heartbeat":
      takeHeartbeat(device, row, fromMs);
      return;
    case "connection":
      device.connection = { connected: row.connected, atMs: row.atMs };
      return;
    case "fleetStatus":
      device.status = { healthy: row.healthy, broken: row.broken };
      return;
    case "job":
      if (row.atMs >= fromMs)
        device.job = {
          status: row.status,
          atMs: row.atMs,
          ...(row.reason === "" ? {} : { reason: row.reason }),
        };
  }
}

function emptyTally(): DeviceTally {
  return { heard: 0, counters: {}, sums: {}, components: [], restarts: {} };
}

function takeHeartbeat(device: DeviceTally, row: HeartbeatRow, fromMs: number): void {
  const { last } = device;
  const sameUploader =
    last !== undefined && last.startedMs["streamUploader"] === row.startedMs["streamUploader"];
  // Told twice, or overtaken.
  if (sameUploader && row.sequence <= last.sequence) return;
  if (row.atMs >= fromMs) {
    device.heard += sameUploader && last.atMs >= fromMs ? heardSince(last, row) : 1;
    takeCounts(device, row, fromMs);
  }
  device.last = {
    ...row,
    // A component that the uploader has not heard of again since its own restart keeps its place.
    startedMs: { ...last?.startedMs, ...row.startedMs },
    counters: { ...last?.counters, ...row.counters },
    sums: { ...last?.sums, ...row.sums },
  };
}

/**
 * Two heartbeats can fall within one minute, where the later takes the earlier's place. Of those that are missing by
 * number, no more were lost than minutes are missing.
 */
function heardSince(last: HeartbeatRow, row: HeartbeatRow): number {
  const sent = row.sequence - last.sequence;
  const minutes = Math.max(1, Math.floor(row.atMs / 60_000) - Math.floor(last.atMs / 60_000));
  return sent - (Math.min(sent, minutes) - 1);
}

function takeCounts(device: DeviceTally, row: HeartbeatRow, fromMs: number): void {
  const { last } = device;
  /** Components whose counters count from zero: they started anew, or within the window and were never seen before. */
  const fresh = new Set<string>();
  for (const [component, startedMs] of Object.entries(row.startedMs)) {
    if (!device.components.includes(component)) device.components.push(component);
    const before = last?.startedMs[component];
    if (before === startedMs || (before === undefined && startedMs < fromMs)) continue;
    fresh.add(component);
    if (before === undefined) continue;
    const times = [...(device.restarts[component] ?? []), row.atMs];
    device.restarts[component] = times.slice(-CRASH_LOOP.restarts);
  }
  // Where nothing is known of before, what it says first is where it stood.
  for (const [name, value] of Object.entries(row.counters)) {
    const base = fresh.has(componentOf(name)) ? 0 : (last?.counters[name] ?? value);
    device.counters[name] = (device.counters[name] ?? 0) + Math.max(0, value - base);
  }
  for (const [name, [sum, count]] of Object.entries(row.sums)) {
    const [sumBase, countBase] = fresh.has(componentOf(name)) ? [0, 0] : (last?.sums[name] ?? [sum, count]);
    const known = device.sums[name] ?? [0, 0];
    device.sums[name] = [known[0] + sum - sumBase, known[1] + Math.max(0, count - countBase)];
  }
}

/** Names of components may have dots, names of counters have none. */
function componentOf(name: string): string {
  return name.slice(0, name.lastIndexOf("."));
}

/** What a device counted over the window, in the judge's terms; undefined where it was never seen at all. */
export function totalsOf(
  device: DeviceTally | undefined,
  fromMs: number,
  toMs: number,
): DeviceTotals | undefined {
  if (device === undefined) return undefined;
  const of = <Value>(values: Readonly<Record<string, Value>>, component: string): Record<string, Value> =>
    Object.fromEntries(
      Object.entries(values).flatMap(([name, value]) =>
        name.startsWith(`${component}.`) ? [[name.slice(component.length + 1), value] as const] : [],
      ),
    );
  return {
    heartbeats: { heard: device.heard, expected: Math.floor((toMs - fromMs) / 60_000) },
    components: Object.fromEntries(
      device.components.map((component) => [
        component,
        {
          counters: of(device.counters, component),
          sums: Object.fromEntries(
            Object.entries(of(device.sums, component)).map(([name, [sum, count]]) => [name, { sum, count }]),
          ),
        },
      ]),
    ),
  };
}

/** How a device fails outright at that time, if it does. */
export function failureOf(
  device: DeviceTally | undefined,
  atMs: number,
): "crashLoop" | "unhealthy" | "silent" | undefined {
  if (device === undefined) return undefined;
  const { last, connection, status, job, restarts } = device;
  for (const times of Object.values(restarts))
    if (times.filter((time) => time > atMs - CRASH_LOOP.withinMs).length >= CRASH_LOOP.restarts)
      return "crashLoop";
  if (status !== undefined && (!status.healthy || status.broken.length > 0)) return "unhealthy";
  if (job !== undefined && ["FAILED", "REJECTED", "TIMED_OUT"].includes(job.status)) return "unhealthy";
  const heardMs = last?.atMs ?? -Infinity;
  if (heardMs > atMs - SILENT_AFTER_MS)
    // A component that says nothing within a live heartbeat has failed, and nobody else.
    return Object.values(last?.ageMs ?? {}).some((age) => age > SILENT_AFTER_MS) ? "unhealthy" : undefined;
  // Nobody said that it left since it was last heard: so it is there, and silent. Offline is not failing.
  const connected = connection?.connected ?? last !== undefined;
  const since = connection?.atMs ?? -Infinity;
  return connected && since <= atMs - SILENT_AFTER_MS ? "silent" : undefined;
}

/** Whether it can be told anything at that time: it was heard, or the cloud sees its connection. */
export function isReachable(device: DeviceTally | undefined, atMs: number): boolean {
  const heardMs = device?.last?.atMs ?? -Infinity;
  return heardMs > atMs - SILENT_AFTER_MS || device?.connection?.connected === true;
}

/** What an update of it waits for at that time, as it last said itself. */
export function waitsOf(device: DeviceTally | undefined, atMs: number): UpdateWait | undefined {
  const { last, job } = device ?? {};
  if (last === undefined || last.atMs <= atMs - SILENT_AFTER_MS) return undefined;
  return job === undefined || job.status === "IN_PROGRESS" ? last.waits : undefined;
}

/** Whether a deployment has begun on it within the window. */
export function wasGiven(device: DeviceTally | undefined): boolean {
  return device?.job !== undefined && !["QUEUED", "CANCELED", "REMOVED"].includes(device.job.status);
}

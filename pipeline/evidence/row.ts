import { componentNames, isRecordOf, type Heartbeat } from "@coalmine/contract";
import { UpdateWait } from "@coalmine/contract/update-wait";
import * as z from "zod";

/**
 * What was seen of a device within one minute, by one source. Two witnesses: the heartbeat comes from the uploader,
 * which may itself be what broke; the other sources are the cloud's own.
 */
const seen = {
  thing: z.string().min(1),
  /** When the cloud heard of it, on its clock. */
  atMs: z.number(),
};
const isNumber = (value: unknown): boolean => Number.isFinite(value);
const numbers = z.custom<Record<string, number>>(
  (value) => isRecordOf(value, isNumber),
  "expected finite numbers, by name",
);
const pairs = z.custom<Record<string, [number, number]>>(
  (value) =>
    isRecordOf(
      value,
      (pair) => Array.isArray(pair) && pair.length === 2 && pair.every((one) => isNumber(one)),
    ),
  "expected pairs of finite numbers, by name",
);

export const HeartbeatRow = z.object({
  source: z.literal("heartbeat"),
  ...seen,
  sentMs: z.number(),
  sequence: z.int().nonnegative(),
  /** Component → when it started: its counters count from there. */
  startedMs: numbers,
  /** Component → age of what was last heard of it when the heartbeat was sent. */
  ageMs: numbers,
  versions: z.record(z.string(), z.string()),
  /** `component.counter` → cumulative since the component started. */
  counters: numbers,
  /** `component.sum` → sum and count, likewise. */
  sums: pairs,
  waits: UpdateWait.optional(),
});
export type HeartbeatRow = z.infer<typeof HeartbeatRow>;

export const EvidenceRow = z.discriminatedUnion("source", [
  HeartbeatRow,
  z.object({ source: z.literal("connection"), ...seen, connected: z.boolean(), reason: z.string() }),
  z.object({
    source: z.literal("fleetStatus"),
    ...seen,
    healthy: z.boolean(),
    /** Components that the nucleus has given up. */
    broken: z.array(z.string()),
  }),
  z.object({ source: z.literal("job"), ...seen, jobId: z.string(), status: z.string(), reason: z.string() }),
]);
export type EvidenceRow = z.infer<typeof EvidenceRow>;

const shortNames = new Map<string, string>(
  Object.entries(componentNames).map(([short, name]) => [name, short]),
);

/** A heartbeat as a row: flat, and cumulative as it came. */
export function evidenceRow(heartbeat: Heartbeat, receivedAt: number): HeartbeatRow {
  const row: HeartbeatRow = {
    source: "heartbeat",
    thing: heartbeat.thing,
    atMs: receivedAt,
    sentMs: heartbeat.sentMs,
    sequence: heartbeat.sequence,
    startedMs: {},
    ageMs: {},
    versions: {},
    counters: {},
    sums: {},
  };
  for (const one of heartbeat.components) {
    const name = shortNames.get(one.component) ?? one.component;
    row.startedMs[name] = one.startedMs;
    row.ageMs[name] = one.ageMs;
    row.versions[name] = one.componentVersion;
    for (const [counter, value] of Object.entries(one.counters)) row.counters[within(name, counter)] = value;
    for (const [sum, { sum: total, count }] of Object.entries(one.sums))
      row.sums[within(name, sum)] = [total, count];
    const waits = waitsOf(one, receivedAt);
    if (waits !== undefined) row.waits = waits;
  }
  return row;
}

/** Times since a moment, so that a device whose clock is wrong tells them as well. */
function waitsOf(
  { gauges, ageMs }: Heartbeat["components"][number],
  receivedAt: number,
): UpdateWait | undefined {
  const { updateWaitsMs = 0, sampleMs = 0 } = gauges;
  if (updateWaitsMs === 0) return undefined;
  const saidMs = receivedAt - ageMs;
  return { for: "sample", sinceMs: saidMs - sampleMs, updateSinceMs: saidMs - updateWaitsMs };
}

/** A device that makes up ever new names has the others' made anew, and no more. */
const NAMES_MAX = 2000;
const names = new Map<string, Map<string, string>>();
let named = 0;

/** `component.name`. Each is made once: using a key that is the very same text takes a third of the time. */
function within(component: string, name: string): string {
  const known = names.get(component)?.get(name);
  if (known !== undefined) return known;
  if (named >= NAMES_MAX) {
    names.clear();
    named = 0;
  }
  const made = `${component}.${name}`;
  const own = names.get(component) ?? new Map<string, string>();
  names.set(component, own.set(name, made));
  named++;
  return made;
}

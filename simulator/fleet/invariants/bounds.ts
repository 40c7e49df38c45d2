import type { Check } from "../evidence/checks.ts";
import type { Observed } from "./invariants.ts";

const MIB = 1024 ** 2;
/** A component's books and what is on its way. */
const WORK_BYTES = 32 * MIB;
/** What one reading may take on the disk until it is delivered: its points, their results, an index. */
const WORK_BYTES_PER_READING = 2048;
/** Logs by the nucleus's own limits, records of deployments, and an hour's worth of more. */
const REST_BYTES = 128 * MIB;
/** Of live objects, an hour and device: what the cloud keeps of its logs, and the record of events. */
const HEAP_BYTES_PER_HOUR = 256 * 1024;
const TOLD_MAX = 3;

/** Live memory of the process at a time of the run. */
export interface HeapLook {
  readonly atMs: number;
  readonly bytes: number;
}

/** What a device keeps grows with what it has measured and not with how long it has lived. */
export function diskCheck({ region, usage }: Pick<Observed, "region" | "usage">): Check {
  usage.look(region);
  const wrong: string[] = [];
  for (const { thingName } of region.devices) {
    const readings = [...region.ledgersOf(thingName).values()]
      .flatMap((ledger) => ledger.boots())
      .reduce((sum, boot) => sum + boot.readings, 0);
    const most = WORK_BYTES + WORK_BYTES_PER_READING * readings;
    for (const [key, bytes] of usage.workBytesMax)
      if (key.startsWith(`${thingName} `) && bytes > most)
        wrong.push(
          `${key.slice(thingName.length + 1)} on ${thingName} kept ${told(bytes)}, more than ${told(most)}`,
        );
    const rest = usage.restBytesMax.get(thingName) ?? 0;
    if (rest > REST_BYTES)
      wrong.push(`${thingName} kept ${told(rest)} of logs and its own files, more than ${told(REST_BYTES)}`);
  }
  return {
    name: "bounded disk",
    ok: wrong.length === 0,
    found:
      wrong.length === 0
        ? `${region.devices.length} devices within their bounds`
        : wrong.slice(0, TOLD_MAX).join("; "),
  };
}

/** Between the middle of a run and its end live memory grows no more than what has to be kept. */
export function memoryCheck({ heap, region }: Pick<Observed, "heap" | "region">): Check {
  const name = "bounded memory";
  const middle = heap[Math.floor(heap.length / 2)];
  const last = heap.at(-1);
  if (middle === undefined || last === undefined || last.atMs <= middle.atMs)
    return { name, ok: true, found: "the run is too short to grow" };
  const deviceHours = (region.devices.length * (last.atMs - middle.atMs)) / 3_600_000;
  const grown = (last.bytes - middle.bytes) / deviceHours;
  // What was measured is told only where it is wrong: no seed decides it.
  return {
    name,
    ok: grown <= HEAP_BYTES_PER_HOUR,
    found:
      grown <= HEAP_BYTES_PER_HOUR
        ? `within ${told(HEAP_BYTES_PER_HOUR)} a device and hour`
        : `grows by ${told(grown)} a device and hour, more than ${told(HEAP_BYTES_PER_HOUR)}`,
  };
}

function told(bytes: number): string {
  return bytes >= MIB ? `${(bytes / MIB).toFixed(1)} MiB` : `${(bytes / 1024).toFixed(0)} KiB`;
}

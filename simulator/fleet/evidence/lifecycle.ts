import type { RegionEvent } from "../driven/region.ts";
import type { Check } from "./checks.ts";

/** A component that was killed on purpose. */
export interface PlannedEnd {
  readonly thingName: string;
  readonly component: string;
  readonly atMs: number;
}

/** An end is noticed within this. */
const NOTICED_MS = 5000;
/** The core device kills what has not ended 5 s after it was told to. */
const STOPPING_MS_MAX = 4900;
const EXAMPLES_MAX = 3;

/** No component ends by itself, and each that is told to stop does so before it is killed. */
export function lifecycleChecks(events: readonly RegionEvent[], planned: readonly PlannedEnd[]): Check[] {
  const failed: string[] = [];
  const slow: string[] = [];
  const stoppingMs = new Map<string, number>();
  for (const { at, thingName, from, component } of componentEvents(events)) {
    const { name, version, state } = component;
    const key = `${thingName}/${name}`;
    const since = stoppingMs.get(key);
    stoppingMs.delete(key);
    // After a power cut it begins anew, and not from there.
    if (since !== undefined && from === "STOPPING" && at - since > STOPPING_MS_MAX)
      slow.push(`${name} ${version} took ${((at - since) / 1000).toFixed(1)} s on ${thingName}`);
    if (state === "STOPPING") stoppingMs.set(key, at);
    const isPlanned = planned.some(
      (end) =>
        end.thingName === thingName && end.component === name && at >= end.atMs && at - end.atMs < NOTICED_MS,
    );
    if (state === "ERRORED" && !isPlanned) failed.push(`${name} ${version} on ${thingName}`);
  }
  return [
    {
      name: "no component ends by itself",
      ok: failed.length === 0,
      found:
        failed.length === 0 ? "none" : `${failed.length} times: ${failed.slice(0, EXAMPLES_MAX).join("; ")}`,
    },
    {
      name: "every component stops when it is told to",
      ok: slow.length === 0,
      found:
        slow.length === 0
          ? "all do"
          : `${slow.length} were killed: ${slow.slice(0, EXAMPLES_MAX).join("; ")}`,
    },
  ];
}

function componentEvents(events: readonly RegionEvent[]) {
  return events.flatMap(({ at, thingName, ...event }) =>
    event.kind === "device" && event.event.kind === "component"
      ? [{ at, thingName, from: event.event.from, component: event.event.component }]
      : [],
  );
}

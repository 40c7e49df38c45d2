import type { Instant } from "@coalmine/ports";
import type { RegionEvent } from "../driven/region.ts";
import type { Check } from "../evidence/checks.ts";
import type { Observed } from "./invariants.ts";

/** A deployment's own parts add up to less: answers of components, downloads, the longest start and stop. */
const DEPLOYMENT_MS_MAX = 3_600_000;
/** Greengrass ends a start, a stop and an install after two minutes where a recipe says nothing else. */
const STATE_MS_MAX = 10 * 60_000;
const TOLD_MAX = 3;
const passing: ReadonlySet<string> = new Set(["NEW", "INSTALLED", "STARTING", "STOPPING", "ERRORED"]);

/**
 * Nobody waits for ever: a deployment that began has ended, and no component stays between two states. What a device
 * without power waited for begins anew with its power.
 */
export function waitCheck({ region, events }: Pick<Observed, "region" | "events">): Check {
  const now = region.clock.now();
  const stuck = [...byThing(events)].flatMap(([thingName, own]) =>
    [...deployments(own, now), ...states(own, now, region.device(thingName)?.hasPower ?? false)].map(
      (what) => `${what} on ${thingName}`,
    ),
  );
  return {
    name: "no wait without a deadline",
    ok: stuck.length === 0,
    found: stuck.length === 0 ? "none" : `${stuck.length}: ${stuck.slice(0, TOLD_MAX).join("; ")}`,
  };
}

function byThing(events: readonly RegionEvent[]): ReadonlyMap<string, readonly RegionEvent[]> {
  return Map.groupBy(events, ({ thingName }) => thingName);
}

function deployments(events: readonly RegionEvent[], now: Instant): string[] {
  const under = new Map<string, Instant>();
  const late: string[] = [];
  const judge = (id: string, until: Instant): void => {
    const began = under.get(id);
    if (began !== undefined && until - began > DEPLOYMENT_MS_MAX)
      late.push(`deployment ${id} took ${Math.round((until - began) / 60_000)} min`);
  };
  for (const { at, ...event } of events) {
    if (event.kind === "power") under.clear();
    if (event.kind !== "device") continue;
    if (event.event.kind !== "deployment") continue;
    const { id, result } = event.event;
    if (result === undefined) under.set(id, at);
    else {
      judge(id, at);
      under.delete(id);
    }
  }
  for (const id of under.keys()) judge(id, now);
  return late;
}

function states(events: readonly RegionEvent[], now: Instant, hasPower: boolean): string[] {
  const since = new Map<string, { readonly state: string; readonly at: Instant }>();
  const late: string[] = [];
  const judge = (name: string, until: Instant): void => {
    const { state, at } = since.get(name) ?? { state: "", at: until };
    if (passing.has(state) && until - at > STATE_MS_MAX)
      late.push(`${name} was ${state} for ${Math.round((until - at) / 60_000)} min`);
  };
  for (const { at, ...event } of events) {
    if (event.kind === "power") since.clear();
    if (event.kind !== "device") continue;
    if (event.event.kind === "restart") since.clear();
    if (event.event.kind !== "component") continue;
    const { name, state } = event.event.component;
    judge(name, at);
    since.set(name, { state, at });
  }
  if (hasPower) for (const name of since.keys()) judge(name, now);
  return late;
}

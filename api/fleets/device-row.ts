import { createHash } from "node:crypto";
import { componentNames } from "@coalmine/contract";
import type { DeviceRow, DeviceState, Versions } from "@coalmine/contract/operator-api";
import { failureOf, isReachable, waitsOf, type DeviceTally } from "../../pipeline/evidence/tally.ts";
import { ageOf } from "../age.ts";
import type { Member } from "./members.ts";

/** A device at its fleet's time, from what was heard of it. */
export function rowOf(
  fleet: string,
  { thing, cohort, site, statusMs, isUnhealthy }: Member,
  seen: DeviceTally | undefined,
  nowMs: number,
): DeviceRow {
  const heardMs = heardAtMs(seen) ?? statusMs;
  const { state, because } = stateOf(seen, heardMs, nowMs, isUnhealthy);
  const waits = waitsOf(seen, nowMs);
  const versions = versionsOf(seen);
  return {
    thing,
    fleet,
    cohort,
    state,
    ...(because === undefined ? {} : { because }),
    ...(waits === undefined ? {} : { waits }),
    ...(heardMs === undefined ? {} : { seen: ageOf(heardMs, nowMs) }),
    ...(site === undefined ? {} : { site }),
    ...(versions === undefined ? {} : { set: setName(versions) }),
  };
}

function stateOf(
  seen: DeviceTally | undefined,
  heardMs: number | undefined,
  nowMs: number,
  isUnhealthy: boolean,
): { state: DeviceState; because?: string } {
  if (heardMs === undefined) return { state: "unseen" };
  const failure = failureOf(seen, nowMs);
  if (failure === "silent") return { state: "silent" };
  if (failure !== undefined) {
    const broken = seen?.status?.broken ?? [];
    return { state: "failing", because: broken.length > 0 ? broken.join(", ") : failure };
  }
  if (!isReachable(seen, nowMs)) return { state: "offline" };
  // Its own word is older than what is read of it here.
  if (isUnhealthy && seen?.status === undefined) return { state: "failing", because: "unhealthy" };
  return { state: seen?.job?.status === "IN_PROGRESS" ? "updating" : "well" };
}

function heardAtMs(seen: DeviceTally | undefined): number | undefined {
  const times = [seen?.last?.atMs, seen?.connection?.connected === true ? seen.connection.atMs : undefined];
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

const fullNames: ReadonlyMap<string, string> = new Map(Object.entries(componentNames));

/** Rows have short names for the suite's components. */
export function fullName(short: string): string {
  return fullNames.get(short) ?? short;
}

/** What a device said that it runs; undefined where it never said. */
export function versionsOf(seen: DeviceTally | undefined): Versions | undefined {
  if (seen?.last === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(seen.last.versions)
      .map(([short, version]): [string, string] => [fullName(short), version])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** The same versions have the same name everywhere. */
export function setName(versions: Versions): string {
  return createHash("sha256").update(JSON.stringify(versions)).digest("hex").slice(0, 8);
}

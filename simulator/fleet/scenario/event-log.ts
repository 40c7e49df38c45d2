import { createHash } from "node:crypto";
import type { RegionEvent } from "../driven/region.ts";

/** Times are exact to this many digits of a millisecond: what lies behind is the arithmetic's own. */
const DIGITS = 3;

/**
 * Everything that happened, a line each: by time, then by thing, and of one thing as it went. Of things between which
 * nothing passes but through their cloud, what happens at one instant has no order; the parts of a fleet know of none.
 */
export function logOf(events: readonly RegionEvent[]): readonly string[] {
  return inOrder(events.map(lineOf));
}

/** The logs of the parts of one fleet as the log of it all. */
export function mergedLog(parts: readonly (readonly string[])[]): readonly string[] {
  return inOrder(parts.flat());
}

/** Everything as one number: two runs with the same digest went the same way. */
export function digestOf(log: readonly string[]): string {
  const hash = createHash("sha256");
  for (const line of log) hash.update(`${line}\n`);
  return hash.digest("hex");
}

function inOrder(lines: readonly string[]): readonly string[] {
  return lines
    .map((line) => {
      const [at = "", thing = ""] = line.split(" ", 2);
      return { at: Number(at), thing, line };
    })
    .toSorted((a, b) => a.at - b.at || (a.thing < b.thing ? -1 : Number(a.thing > b.thing)))
    .map(({ line }) => line);
}

function lineOf(event: RegionEvent): string {
  const head = `${event.at.toFixed(DIGITS)} ${event.thingName}`;
  if (event.kind === "uploaded") return `${head} uploaded ${event.bucket}/${event.key} ${event.bytes}`;
  if (event.kind === "power") return `${head} ${event.isOn ? "has power" : "has no power"}`;
  const told = event.event;
  if (told.kind === "deployment") {
    const { id, result } = told;
    return `${head} deployment ${id} ${result === undefined ? "begun" : `${result.status} ${result.detailedStatus}`}`;
  }
  if (told.kind === "restart") return `${head} restarts the ${told.what}`;
  const { name, version, state } = told.component;
  return `${head} ${name} ${version} ${told.from} to ${state}`;
}

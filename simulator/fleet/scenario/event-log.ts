import { createHash } from "node:crypto";
import type { RegionEvent } from "../driven/region.ts";

/** Times are exact to this many digits of a millisecond: what lies behind is the arithmetic's own. */
const DIGITS = 3;

/** Everything that happened, in order, as one number: two runs with the same digest went the same way. */
export function digestOf(events: readonly RegionEvent[]): string {
  const hash = createHash("sha256");
  for (const event of events) hash.update(`${lineOf(event)}\n`);
  return hash.digest("hex");
}

/** One event as a line. */
export function lineOf(event: RegionEvent): string {
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

import type { BeatEvent, EntryEvent } from "@coalmine/contract/operator-api";
import type { Context } from "hono";
import type { SSEStreamingApi } from "hono/streaming";
import { readEntry, type StoredEntry } from "../../pipeline/controller/audit.ts";
import type { Api } from "../api.ts";
import type { FleetWatch } from "../fleets/fleet-watch.ts";
import { openStream, type StreamPace } from "./open-stream.ts";

/** What happens is on a page within two seconds. */
const pace = { lookEveryMs: 1000, quietLooksMax: 15 };
/** Rollouts that are followed: the latest. Older ones have ended. */
const FOLLOWED_MAX = 10;

export interface EntryStreamParts extends Pick<StreamPace, "clock" | "goesOn"> {
  readonly api: Api;
  readonly watches: readonly FleetWatch[];
}

/**
 * The events of the latest rollouts as they are written and of the devices as they are heard, each once and in its order.
 * Whoever comes back with the id of the last one that it had is sent what came since: `Last-Event-ID` holds how far each
 * rollout and each fleet was read.
 */
export function entryStream(context: Context, parts: EntryStreamParts): Response {
  const { api, watches, clock, goesOn } = parts;
  const had = parsePlace(context.req.header("last-event-id") ?? "");
  return openStream(context, { clock, goesOn, ...pace }, async () => {
    const beat: BeatEvent = { nowMs: {} };
    const place = had ?? (await newest(api, watches));
    return {
      place: () => placeText(place),
      tell: async (stream) => {
        let isNew = false;
        for (const entry of await since(api, place)) {
          place.rollouts.set(entry.rollout, entry.sequence);
          const data = JSON.stringify(eventOf(entry));
          await stream.writeSSE({ event: "entry", id: placeText(place), data });
          isNew = true;
        }
        for (const watch of watches) {
          beat.nowMs[watch.fleet] = (await watch.look()).nowMs;
          if (await tellDevices(stream, watch, place)) isNew = true;
        }
        return isNew;
      },
      beat: () => beat,
    };
  });
}

/** How far was sent: rollout → its last event, fleet → its watch's place. */
interface Place {
  readonly rollouts: Map<string, number>;
  readonly fleets: Map<string, string>;
}

/** Sends what a watch has new; whether there was anything. */
async function tellDevices(stream: SSEStreamingApi, watch: FleetWatch, place: Place): Promise<boolean> {
  const { fleet } = watch;
  const from = place.fleets.get(fleet) ?? watch.place();
  const events = watch.since(from);
  if (events === undefined) {
    place.fleets.set(fleet, watch.place());
    await stream.writeSSE({ event: "reload", id: placeText(place), data: JSON.stringify({ fleet }) });
    return true;
  }
  const cut = from.lastIndexOf(".");
  for (const [index, event] of events.entries()) {
    place.fleets.set(fleet, `${from.slice(0, cut)}.${Number(from.slice(cut + 1)) + index + 1}`);
    await stream.writeSSE({ event: "device", id: placeText(place), data: JSON.stringify(event) });
  }
  place.fleets.set(fleet, place.fleets.get(fleet) ?? from);
  return events.length > 0;
}

async function since({ log }: Api, { rollouts }: Place): Promise<StoredEntry[]> {
  const found: StoredEntry[] = [];
  for (const { rollout } of (await log.list(FOLLOWED_MAX)).toReversed())
    found.push(...(await log.entries(rollout, (rollouts.get(rollout) ?? -1) + 1)));
  return found;
}

async function newest({ log }: Api, watches: readonly FleetWatch[]): Promise<Place> {
  const rollouts = new Map<string, number>();
  for (const { rollout } of await log.list(FOLLOWED_MAX)) {
    const last = await log.last(rollout);
    if (last !== undefined) rollouts.set(rollout, last.sequence);
  }
  const fleets = new Map<string, string>();
  for (const watch of watches) {
    await watch.look();
    fleets.set(watch.fleet, watch.place());
  }
  return { rollouts, fleets };
}

function eventOf(entry: StoredEntry): EntryEvent {
  const { atMs, record } = readEntry(entry);
  return { rollout: entry.rollout, sequence: entry.sequence, atMs, kind: record.kind };
}

/** `rollout=sequence` and `@fleet=place`, with `;` between them. */
function placeText({ rollouts, fleets }: Place): string {
  return [
    ...[...rollouts].map(([rollout, sequence]) => `${rollout}=${sequence}`),
    ...[...fleets].map(([fleet, place]) => `@${fleet}=${place}`),
  ].join(";");
}

/** Undefined for what is no place: then the stream begins with what comes. */
function parsePlace(text: string): Place | undefined {
  if (text === "") return undefined;
  const place: Place = { rollouts: new Map(), fleets: new Map() };
  for (const part of text.split(";")) {
    const [, at = "", name = "", value = ""] = /^(@?)([^@=;]{1,100})=([\w.-]{1,60})$/.exec(part) ?? [];
    if (name === "") return undefined;
    if (at === "@") place.fleets.set(name, value);
    else if (/^\d{1,9}$/.test(value)) place.rollouts.set(name, Number(value));
    else return undefined;
  }
  return place;
}

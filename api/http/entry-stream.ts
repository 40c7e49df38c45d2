import type { EntryEvent } from "@coalmine/contract/operator-api";
import type { Clock } from "@coalmine/ports";
import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import { readEntry, type StoredEntry } from "../../pipeline/controller/audit.ts";
import type { Api } from "../api.ts";

/** Between looks into the log: what happens is on a page within two seconds. */
const LOOK_EVERY_MS = 1000;
/** Looks without anything new before a beat says that the stream is alive. */
const QUIET_LOOKS_MAX = 15;
/** Rollouts that are followed: the latest. Older ones have ended. */
const FOLLOWED_MAX = 10;

/**
 * The events of the latest rollouts as they are written, each once and in the order of its rollout. Whoever comes back
 * with the id of the last one that it had is sent what came since: `Last-Event-ID` holds how far each rollout was read.
 */
export function entryStream(context: Context, api: Api, clock: Pick<Clock, "sleep">): Response {
  const had = parsePlace(context.req.header("last-event-id") ?? "");
  return streamSSE(context, async (stream) => {
    const gone = new AbortController();
    stream.onAbort(() => gone.abort());
    const place = had ?? (await newest(api));
    // Its id lets a stream that is cut before its first event go on from here.
    await stream.writeSSE({ event: "place", id: placeText(place), data: "" });
    for (let quiet = 0; !gone.signal.aborted; quiet++) {
      for (const entry of await since(api, place)) {
        place.set(entry.rollout, entry.sequence);
        await stream.writeSSE({ event: "entry", id: placeText(place), data: JSON.stringify(eventOf(entry)) });
        quiet = 0;
      }
      if (quiet >= QUIET_LOOKS_MAX) {
        await stream.writeSSE({ event: "beat", data: "" });
        quiet = 0;
      }
      await clock.sleep(LOOK_EVERY_MS, gone.signal).catch(() => undefined);
    }
  });
}

/** Rollout → the last of its events that was sent. */
type Place = Map<string, number>;

async function since({ log }: Api, place: Place): Promise<StoredEntry[]> {
  const found: StoredEntry[] = [];
  for (const { rollout } of (await log.list(FOLLOWED_MAX)).toReversed())
    found.push(...(await log.entries(rollout, (place.get(rollout) ?? -1) + 1)));
  return found;
}

async function newest({ log }: Api): Promise<Place> {
  const place: Place = new Map();
  for (const { rollout } of await log.list(FOLLOWED_MAX)) {
    const last = await log.last(rollout);
    if (last !== undefined) place.set(rollout, last.sequence);
  }
  return place;
}

function eventOf(entry: StoredEntry): EntryEvent {
  const { atMs, record } = readEntry(entry);
  return { rollout: entry.rollout, sequence: entry.sequence, atMs, kind: record.kind };
}

function placeText(place: Place): string {
  return [...place].map(([rollout, sequence]) => `${rollout}=${sequence}`).join(";");
}

/** Undefined for what is no place: then the stream begins with what comes. */
function parsePlace(text: string): Place | undefined {
  if (text === "") return undefined;
  const place: Place = new Map();
  for (const part of text.split(";")) {
    const [, rollout = "", sequence = ""] = /^([^=;]{1,100})=(\d{1,9})$/.exec(part) ?? [];
    if (rollout === "") return undefined;
    place.set(rollout, Number(sequence));
  }
  return place;
}

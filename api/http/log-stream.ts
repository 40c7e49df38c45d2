import { ThingName } from "@coalmine/contract";
import type { Clock } from "@coalmine/ports";
import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import * as z from "zod";
import { type Api, parseInput } from "../api.ts";
import { linesSince } from "../devices/logs.ts";
import type { OperatorRegion } from "../operator-region.ts";

/** CloudWatch allows 10 of these questions a second and account; two people may follow a device each. */
const LOOK_EVERY_MS = 2000;
const QUIET_LOOKS_MAX = 7;

export interface LogStreamParts {
  readonly api: Api;
  readonly region: OperatorRegion;
  readonly thing: string;
  readonly clock: Pick<Clock, "sleep">;
  /** Whether the stream may stay open: it ends with its listener's session. */
  readonly goesOn: () => Promise<boolean>;
}

/** A device's lines as they arrive, each once: `id` is the place after a line. */
export async function logStream(context: Context, parts: LogStreamParts): Promise<Response> {
  const { api, region, clock, goesOn } = parts;
  const thing = parseInput(ThingName, parts.thing);
  const component = parseInput(z.string().max(128).optional(), context.req.query("component"));
  const asked = async () => ({ region, thing, component, nowMs: await api.time.now(region.target) });
  const now = await asked();
  let place =
    context.req.header("last-event-id") ?? context.req.query("after") ?? `${Math.floor(now.nowMs)}.0`;
  // What is no place is refused before the stream begins.
  await linesSince(now, place);
  return streamSSE(context, async (stream) => {
    const gone = new AbortController();
    stream.onAbort(() => gone.abort());
    await stream.writeSSE({ event: "place", id: place, data: "" });
    for (let quiet = 0; !gone.signal.aborted; quiet++) {
      const found = await linesSince(await asked(), place);
      for (const { line, place: after } of found.told) {
        place = after;
        await stream.writeSSE({ event: "line", id: place, data: JSON.stringify(line) });
        quiet = 0;
      }
      place = found.place;
      const isLast = !(await goesOn());
      if (quiet >= QUIET_LOOKS_MAX || isLast) {
        await stream.writeSSE({ event: "beat", id: place, data: "{}" });
        quiet = 0;
      }
      if (isLast) return;
      await clock.sleep(LOOK_EVERY_MS, gone.signal).catch(() => undefined);
    }
  });
}

import { ThingName } from "@coalmine/contract";
import type { Context } from "hono";
import * as z from "zod";
import { type Api, parseInput } from "../api.ts";
import { linesSince } from "../devices/logs.ts";
import type { OperatorRegion } from "../operator-region.ts";
import { openStream, type StreamPace } from "./open-stream.ts";

/** CloudWatch allows 10 of these questions a second and account; two people may follow a device each. */
const pace = { lookEveryMs: 2000, quietLooksMax: 7 };

export interface LogStreamParts extends Pick<StreamPace, "clock" | "goesOn"> {
  readonly api: Api;
  readonly region: OperatorRegion;
  readonly thing: string;
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
  return openStream(context, { clock, goesOn, ...pace }, async () => ({
    place: () => place,
    tell: async (stream) => {
      const found = await linesSince(await asked(), place);
      for (const { line, place: after } of found.told) {
        place = after;
        await stream.writeSSE({ event: "line", id: place, data: JSON.stringify(line) });
      }
      place = found.place;
      return found.told.length > 0;
    },
    beat: () => ({}),
  }));
}

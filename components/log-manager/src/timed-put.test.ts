import type { AwsError, LogEvent } from "@coalmine/ports";
import { DrivenClock, SeededRandom, silentLog } from "@coalmine/runtime";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Outgoing } from "./batches.ts";
import { RequestRate } from "./request-rate.ts";
import { ServerTime } from "./server-time.ts";
import { TimedPut } from "./timed-put.ts";

const DAY_MS = 86_400_000;
const MIDNIGHT = Date.UTC(2026, 0, 2);
const at = (timestampMs: number, message = "m"): Outgoing => ({
  timestampMs,
  isCorrected: false,
  message,
  lines: 1,
  id: "f",
  offset: 0,
});

/** A service that keeps what it is given, as soon as it is there. */
function rig() {
  const clock = new DrivenClock(MIDNIGHT, () => new Promise(setImmediate));
  const puts: { readonly stream: string; readonly events: readonly LogEvent[] }[] = [];
  const service = { isOnline: true };
  const offline: AwsError = Object.assign(new Error("offline"), {
    name: "AwsError" as const,
    code: "NetworkError",
  });
  const put = new TimedPut(
    {
      cloudLogs: {
        createLogGroup: async () => undefined,
        createLogStream: async () => undefined,
        putRetentionPolicy: async () => undefined,
        putLogEvents: async (_group, stream, events) => {
          if (!service.isOnline) throw offline;
          puts.push({ stream, events });
          return {};
        },
      },
      clock,
      random: new SeededRandom("puts"),
      log: silentLog,
      serverTime: new ServerTime(clock, () => undefined),
      rate: new RequestRate(
        clock,
        () => 100,
        () => undefined,
      ),
      beforeTry: async () => undefined,
      failed: () => undefined,
    },
    (date) => ({ group: "g", stream: date, settings: {} }),
  );
  const send = async (events: readonly Outgoing[]) => {
    put.hold(events);
    const sending = put.put(new AbortController().signal);
    await clock.runUntil(clock.now() + 5000);
    return sending;
  };
  return { clock, put, puts, send, service };
}

test("events of two days go to two streams, in order of time, those of the same time as they came", async () => {
  const { puts, send } = rig();
  await send([at(MIDNIGHT + 5, "d"), at(MIDNIGHT - 1, "a"), at(MIDNIGHT, "b"), at(MIDNIGHT, "c")]);
  expect(puts.map(({ stream, events }) => [stream, events.map(({ message }) => message).join("")])).toEqual([
    ["2026/01/01", "a"],
    ["2026/01/02", "bcd"],
  ]);
});

test("each request is of one day and in order, and every event is in one", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 4 * DAY_MS }), { minLength: 1, maxLength: 50 }),
      async (times) => {
        const { puts, send } = rig();
        const { accepted } = await send(times.map((time) => at(time)));
        for (const { events } of puts) {
          const sent = events.map(({ timestampMs }) => timestampMs);
          expect(sent).toEqual(sent.toSorted((a, b) => a - b));
          expect(new Set(sent.map((time) => Math.floor(time / DAY_MS))).size).toBe(1);
        }
        expect(accepted.map(({ timestampMs }) => timestampMs)).toEqual(times.toSorted((a, b) => a - b));
      },
    ),
    { numRuns: 30 },
  );
});

test("while events wait their times may change: then they go by the new ones, at once", async () => {
  const { clock, put, puts, service } = rig();
  service.isOnline = false;
  put.hold([at(MIDNIGHT - 1, "a"), at(MIDNIGHT, "b")]);
  const sending = put.put(new AbortController().signal);
  await clock.runUntil(clock.now() + 3_600_000);
  service.isOnline = true;
  put.retime((event) => ({ ...event, timestampMs: event.timestampMs + DAY_MS, isCorrected: true }));
  await clock.runUntil(clock.now() + 1000);
  expect(puts.map(({ stream }) => stream)).toEqual(["2026/01/02", "2026/01/03"]);
  expect((await sending).accepted.map(({ isCorrected }) => isCorrected)).toEqual([true, true]);
});

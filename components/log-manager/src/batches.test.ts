import * as fc from "fast-check";
import { expect, test } from "vitest";
import { batches } from "./batches.ts";
import { utf8Bytes } from "./log-event.ts";

const at = (timestampMs: number, message = "m") => ({ timestampMs, message, level: undefined });

test("events of two dates go to two streams, each in order of time", () => {
  const midnight = Date.UTC(2026, 0, 2);
  const cut = batches([at(midnight + 5), at(midnight - 1), at(midnight)]);
  expect(cut.map((batch) => [batch.date, batch.events.map((event) => event.timestampMs - midnight)])).toEqual(
    [
      ["2026/01/01", [-1]],
      ["2026/01/02", [0, 5]],
    ],
  );
});

test("events of the same time stay in the order of the file", () => {
  expect(batches([at(7, "a"), at(7, "b"), at(7, "c")])[0]?.events.map((event) => event.message)).toEqual([
    "a",
    "b",
    "c",
  ]);
});

test("no batch breaks a rule of PutLogEvents, and no event is lost", () => {
  const event = fc.record({
    timestampMs: fc.integer({ min: 0, max: 3 * 86_400_000 }),
    message: fc.integer({ min: 1, max: 200_000 }).map((length) => "x".repeat(length)),
    level: fc.constant(undefined),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), (events) => {
      const cut = batches(events);
      for (const { events: part } of cut) {
        expect(part.reduce((sum, { message }) => sum + utf8Bytes(message) + 26, 0)).toBeLessThanOrEqual(
          1_048_576,
        );
        expect((part.at(-1)?.timestampMs ?? 0) - (part[0]?.timestampMs ?? 0)).toBeLessThan(86_400_000);
      }
      expect(cut.flatMap((batch) => batch.events).length).toBe(events.length);
    }),
    { numRuns: 50 },
  );
});

test("a batch holds at most 10,000 events", () => {
  expect(batches(Array.from({ length: 10_001 }, () => at(1))).map((batch) => batch.events.length)).toEqual([
    10_000, 1,
  ]);
});

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Batch, BatchBuilder } from "./batches.ts";
import { utf8Bytes } from "./log-event.ts";

const at = (timestampMs: number, message = "m") => ({
  timestampMs,
  isCorrected: false,
  message,
  lines: 1,
  id: "f",
  offset: 0,
});
function batches(events: readonly ReturnType<typeof at>[]): Batch[] {
  const builder = new BatchBuilder();
  return [...events.map((event) => builder.add(event)), builder.take()].filter(
    (batch) => batch !== undefined,
  );
}

test("events of two days are in two batches, in the order of the file", () => {
  const midnight = Date.UTC(2026, 0, 2);
  const cut = batches([at(midnight + 5), at(midnight), at(midnight - 1), at(midnight)]);
  expect(cut.map(({ events }) => events.map(({ timestampMs }) => timestampMs - midnight))).toEqual([
    [5, 0],
    [-1],
    [0],
  ]);
});

test("no batch is more than one request takes, no event is lost, and each batch is what follows the one before", () => {
  const event = fc.record({
    timestampMs: fc.integer({ min: 0, max: 3 * 86_400_000 }),
    message: fc.integer({ min: 1, max: 200_000 }).map((length) => "µ".repeat(length)),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), (events) => {
      const cut = batches(events.map(({ timestampMs, message }) => at(timestampMs, message)));
      for (const { events: part } of cut) {
        const bytes = part.reduce((sum, { message }) => sum + utf8Bytes(message) + 26, 0);
        expect(new Set(part.map(({ timestampMs }) => Math.floor(timestampMs / 86_400_000))).size).toBe(1);
        if (part.length > 1) expect(bytes).toBeLessThanOrEqual(1_048_576);
      }
      let from = 0;
      for (const { events: part } of cut) {
        const given = events.slice(from, (from += part.length)).map(({ message }) => message.length);
        expect(part.map(({ message }) => message.length)).toEqual(given);
      }
      expect(from).toBe(events.length);
    }),
    { numRuns: 50 },
  );
});

test("a batch holds at most 10,000 events", () => {
  expect(batches(Array.from({ length: 10_001 }, () => at(1))).map((batch) => batch.events.length)).toEqual([
    10_000, 1,
  ]);
});

test("a batch is full at exactly 1,048,576 bytes, 26 counted with each event", () => {
  const half = "x".repeat(1_048_576 / 2 - 26);
  expect(batches([at(1, half), at(1, half)]).length).toBe(1);
  expect(batches([at(1, half), at(1, `${half}x`)]).length).toBe(2);
});

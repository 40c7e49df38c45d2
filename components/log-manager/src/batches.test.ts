import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Batch, BatchBuilder } from "./batches.ts";
import { utf8Bytes } from "./log-event.ts";

const at = (timestampMs: number, message = "m") => ({ timestampMs, message, lines: 1, id: "f", offset: 0 });
function batches(events: readonly ReturnType<typeof at>[]): Batch[] {
  const builder = new BatchBuilder();
  return [...events.map((event) => builder.add(event)), builder.take()].filter(
    (batch) => batch !== undefined,
  );
}

test("events of two dates go to two streams, in the order of the file", () => {
  const midnight = Date.UTC(2026, 0, 2);
  expect(
    batches([at(midnight - 1), at(midnight), at(midnight + 5)]).map((batch) => [
      batch.date,
      batch.events.map((event) => event.timestampMs - midnight),
    ]),
  ).toEqual([
    ["2026/01/01", [-1]],
    ["2026/01/02", [0, 5]],
  ]);
});

test("events of the same time stay in the order of file and offset", () => {
  expect(batches([at(7, "a"), at(5, "b"), at(7, "c")])[0]?.events.map((event) => event.message)).toEqual([
    "b",
    "a",
    "c",
  ]);
});

test("no batch breaks a rule of PutLogEvents, no event is lost, and each batch is what follows the one before", () => {
  const event = fc.record({
    timestampMs: fc.integer({ min: 0, max: 3 * 86_400_000 }),
    message: fc.integer({ min: 1, max: 200_000 }).map((length) => "µ".repeat(length)),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), (events) => {
      const cut = batches(events.map(({ timestampMs, message }) => at(timestampMs, message)));
      for (const { events: part } of cut) {
        const bytes = part.reduce((sum, { message }) => sum + utf8Bytes(message) + 26, 0);
        if (part.length > 1) expect(bytes).toBeLessThanOrEqual(1_048_576);
        const times = part.map(({ timestampMs }) => timestampMs);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeLessThan(86_400_000);
      }
      let from = 0;
      for (const { events: part } of cut) {
        const given = events.slice(from, (from += part.length)).map(({ message }) => message.length);
        expect(part.map(({ message }) => message.length).toSorted((a, b) => a - b)).toEqual(
          given.toSorted((a, b) => a - b),
        );
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

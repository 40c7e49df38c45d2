import type { LogLine } from "@coalmine/contract/operator-api";
import fc from "fast-check";
import { expect, test } from "vitest";
import { before, come, emptyTail, found, has, LINES_MAX, paused, reaching, type Tail } from "./tail.ts";

const line = (number: number): LogLine => ({
  cursor: `c${number}`,
  atMs: number,
  component: number % 2 === 0 ? "coalmine.Inference" : "coalmine.SensorReader",
  level: "INFO",
  message: `reading ${number}`,
});
const lines = (from: number, count: number): LogLine[] =>
  Array.from({ length: count }, (_, at) => line(from + at));

test("however a tail is paused and goes on, its lines stay in order, none comes twice, and what had to go is counted", () => {
  const deed = fc.oneof(
    fc.constantFrom("pause" as const, "go on" as const),
    fc.integer({ min: 1, max: 900 }),
  );
  fc.assert(
    fc.property(fc.array(deed, { maxLength: 20 }), (deeds) => {
      let [tail, next]: [Tail, number] = [emptyTail, 0];
      for (const one of deeds) {
        if (typeof one === "number") {
          tail = come(tail, lines(next, one));
          next += one;
        } else tail = paused(tail, one === "pause");
      }
      const held = [...tail.lines, ...tail.waiting].map(({ atMs }) => atMs);
      expect(held).toEqual([...new Set(held)].sort((a, b) => a - b));
      expect(held.length + tail.dropped).toBe(next);
      expect(tail.lines.length).toBeLessThanOrEqual(LINES_MAX);
      expect(tail.waiting.length).toBeLessThanOrEqual(LINES_MAX);
    }),
  );
});

test("earlier lines stand before, and who reads them is not pushed on by new ones", () => {
  const tail = before(come(emptyTail, lines(100, 3)), lines(97, 3));
  expect(tail.lines.map(({ atMs }) => atMs)).toEqual([97, 98, 99, 100, 101, 102]);
  expect(come(tail, lines(103, 1)).lines.length).toBe(6);
  const full = before(come(emptyTail, lines(500, LINES_MAX)), lines(0, 500));
  expect([full.lines[0]?.atMs, full.lines.length, full.waiting.length, full.dropped]).toEqual([
    0,
    LINES_MAX,
    500,
    0,
  ]);
});

test("a line that was linked to is looked for further back, as far as a page holds lines, and no further than there are any", async () => {
  const written = lines(0, 3000);
  let questions = 0;
  const pageBefore = (end: number) => {
    questions++;
    return { lines: written.slice(Math.max(0, end - 200), end), cursor: "now", earlier: end > 200 };
  };
  const link = (to: string) =>
    reaching(pageBefore(3000), to, async (first) =>
      pageBefore(written.findIndex(({ cursor }) => cursor === first)),
    );
  for (const [to, isThere, length, asked] of [
    ["c2999", true, 200, 1],
    ["c2450", true, 600, 3],
    ["c400", false, LINES_MAX, 10],
  ] as const) {
    questions = 0;
    const page = await link(to);
    expect([has(page.lines, to), page.lines.length, questions], to).toEqual([isThere, length, asked]);
    expect(page.lines).toEqual(written.slice(-length));
    expect([page.cursor, page.earlier]).toEqual(["now", true]);
  }
  const all = await reaching({ lines: lines(100, 3), cursor: "now", earlier: true }, "gone", async () => ({
    lines: lines(90, 10),
    cursor: "",
    earlier: false,
  }));
  expect([all.lines.length, all.earlier]).toEqual([13, false]);
  const cut = await reaching(
    { lines: lines(100, 3), cursor: "now", earlier: true },
    "gone",
    async () => undefined,
  );
  expect(cut.lines.length).toBe(3);
});

test("lines are found by all words, in any part of them", () => {
  expect(found(lines(0, 10), "inference 4").map(({ atMs }) => atMs)).toEqual([4]);
  expect(found(lines(0, 10), " ").length).toBe(10);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { rowAfter, scrollTo, windowOf } from "./window.ts";

const list = fc.record({
  rows: fc.integer({ min: 0, max: 5000 }),
  rowPx: fc.integer({ min: 24, max: 120 }),
  scrolledPx: fc.integer({ min: -50, max: 700_000 }),
  heightPx: fc.integer({ min: 100, max: 2000 }),
});

test("every row in sight is drawn, few others are, and scrolling to a row brings it into sight", () => {
  fc.assert(
    fc.property(list, fc.nat(5000), ({ rows, rowPx, scrolledPx, heightPx }, wanted) => {
      const { first, end } = windowOf(rows, rowPx, scrolledPx, heightPx);
      const furthest = Math.max(0, rows * rowPx - heightPx);
      const at = Math.min(furthest, Math.max(0, scrolledPx));
      expect(first).toBeGreaterThanOrEqual(0);
      expect(end).toBeLessThanOrEqual(rows);
      expect(first).toBeLessThanOrEqual(Math.floor(at / rowPx));
      expect(end).toBeGreaterThanOrEqual(Math.min(rows, Math.ceil((at + heightPx) / rowPx)));
      expect(end - first).toBeLessThanOrEqual(Math.ceil(heightPx / rowPx) + 17);
      if (rows === 0) return;
      const row = wanted % rows;
      const to = scrollTo(row, rowPx, at, heightPx) ?? at;
      expect(row * rowPx).toBeGreaterThanOrEqual(to);
      expect((row + 1) * rowPx).toBeLessThanOrEqual(to + Math.max(heightPx, rowPx));
    }),
  );
});

test("the keys of lists lead to a row that there is", () => {
  const from = (key: string): number | undefined => rowAfter(key, 5, 8, 10);
  expect(["ArrowDown", "ArrowUp", "PageDown", "PageUp", "Home", "End", "x"].map(from)).toEqual([
    6,
    4,
    7,
    0,
    0,
    7,
    undefined,
  ]);
  expect(rowAfter("End", 0, 0, 10)).toBeUndefined();
});

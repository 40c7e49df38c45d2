import { expect, test } from "vitest";
import { levelOf } from "./metric-series.ts";

test("a level is that of all devices together, with an interval from how they differ; one device has none, and no word is a gap", () => {
  expect(levelOf([undefined, undefined])).toBeNull();
  expect(levelOf([[3, 60], undefined])).toEqual({ level: 0.05, low: null, high: null, devices: 1 });
  const alike = levelOf([
    [1, 10],
    [2, 20],
  ]);
  expect(alike).toEqual({ level: 0.1, low: 0.1, high: 0.1, devices: 2 });
  // By hand: level 4/20, residuals ±2, half of the interval 1.96 × √(2 × 8) / 20.
  const apart = levelOf([
    [0, 10],
    [4, 10],
  ]);
  expect([apart?.level, apart?.low, apart?.devices]).toEqual([0.2, 0, 2]);
  expect(apart?.high).toBeCloseTo(0.2 + (1.96 * 4) / 20, 10);
});

import { expect, test } from "vitest";
import { columns, plotted } from "./plotted.ts";

const level = (value: number, devices = 3) => ({ level: value, low: value - 1, high: value + 1, devices });

test("what is missing is drawn as missing, in either arm and of an interval, and zero as zero", () => {
  const [times, ...drawn] = plotted({
    looks: [
      { atMs: 60_000, canary: level(0), baseline: level(5) },
      { atMs: 120_000, canary: null, baseline: level(6) },
      { atMs: 180_000, canary: { level: 2, low: null, high: null, devices: 1 }, baseline: null },
    ],
    limit: { above: 9 },
  });
  expect(times).toEqual([60, 120, 180]);
  expect(Object.fromEntries(columns.map((name, index) => [name, drawn[index]]))).toEqual({
    baseline: [5, 6, null],
    baselineLow: [4, 5, null],
    baselineHigh: [6, 7, null],
    canary: [0, null, 2],
    canaryLow: [-1, null, null],
    canaryHigh: [1, null, null],
    above: [9, 9, 9],
    below: [null, null, null],
  });
});

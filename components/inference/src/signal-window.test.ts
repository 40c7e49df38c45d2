import { InstrumentId, type Measurement } from "@coalmine/contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import { preprocess } from "./signal-steps.ts";
import { SignalWindows } from "./signal-window.ts";

const point = (sequence: number, value: number): Measurement => ({
  instrument: InstrumentId.parse("a"),
  boot: 1,
  sequence,
  channel: "acceleration",
  sampleTimeMs: sequence,
  sampleTimeUncertaintyMs: 0,
  value,
  unit: "m/s2",
  quality: { level: "good" },
  calibrationId: "c",
});

test("every window comes exactly once, whatever order and how often its points come", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 9 }),
      fc.integer({ min: 1, max: 9 }),
      fc.shuffledSubarray(
        Array.from({ length: 60 }, (_, n) => n),
        { minLength: 60 },
      ),
      (samples, hop, order) => {
        const windows = new SignalWindows({
          version: 1,
          kind: "signal",
          channel: "acceleration",
          samples,
          hop,
          steps: [],
        });
        const found = [...order, ...order].flatMap((sequence) => windows.add([point(sequence, sequence)]));
        const expected = [];
        for (let from = 0; from + samples <= 60; from += hop) expected.push([from, from + samples - 1]);
        expect(found.map(({ from, to }) => [from, to]).sort(([a = 0], [b = 0]) => a - b)).toEqual(expected);
        for (const { from, input } of found)
          expect([...input]).toEqual(Array.from(input, (_, at) => from + at));
      },
    ),
    { numRuns: 60 },
  );
});

test("detrending leaves nothing of a line, filters what they should, statistics what is known", () => {
  const line = Float64Array.from({ length: 50 }, (_, n) => 3 + 0.5 * n);
  for (const value of preprocess(line, [{ op: "detrend", order: 1 }])) expect(value).toBeCloseTo(0, 9);
  const sine = (hertz: number) =>
    Float64Array.from({ length: 2000 }, (_, n) => Math.sin((2 * Math.PI * hertz * n) / 100));
  const gain = (kind: "low-pass" | "high-pass", hertz: number): number =>
    preprocess(sine(hertz), [
      { op: "filter", kind, cutoffHz: 5, sampleRateHz: 100 },
      { op: "statistics", names: ["rms"] },
    ]).reduce((_, rms) => rms * Math.SQRT2, 0);
  expect(gain("low-pass", 0.5)).toBeCloseTo(1, 1);
  expect(gain("low-pass", 5)).toBeCloseTo(Math.SQRT1_2, 1);
  expect(gain("low-pass", 30)).toBeLessThan(0.03);
  expect(gain("high-pass", 30)).toBeCloseTo(1, 1);
  expect(gain("high-pass", 0.5)).toBeLessThan(0.03);
  const known = preprocess(Float64Array.of(-1, 1, -1, 1), [
    {
      op: "statistics",
      names: ["mean", "deviation", "rms", "minimum", "maximum", "skewness", "kurtosis", "zero-crossings"],
    },
  ]);
  expect([...known]).toEqual([0, 1, 1, -1, 1, 0, 1, 3]);
});

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { phaseOf, untilPhase } from "./phase.ts";

const at = (nowMs: number) => ({ now: () => nowMs });

test("the next instant is one interval away at most, but for what is due just now, and is the same for everybody", () => {
  const now = fc.double({ min: -1e12, max: 4e12, noNaN: true });
  fc.assert(
    fc.property(
      now,
      fc.string(),
      fc.constantFrom(1000, 5000, 60_000),
      fc.nat(60_000),
      (nowMs, thing, intervalMs, laterMs) => {
        const phaseMs = phaseOf(thing);
        const left = untilPhase(at(nowMs), phaseMs, intervalMs);
        expect(left).toBeGreaterThan(0.01 * intervalMs);
        expect(left).toBeLessThanOrEqual(1.01 * intervalMs);
        const other = nowMs + laterMs + untilPhase(at(nowMs + laterMs), phaseMs, intervalMs);
        const apart = (other - (nowMs + left)) / intervalMs;
        expect(Math.abs(apart - Math.round(apart))).toBeLessThan(1e-4);
      },
    ),
  );
});

test("a timer that fires a millisecond early does not do it twice", () => {
  expect(untilPhase(at(59_999), 0, 60_000)).toBe(60_001);
  expect(untilPhase(at(60_000), 0, 60_000)).toBe(60_000);
  expect(untilPhase(at(60_001), 0, 60_000)).toBe(59_999);
});

test("devices of a fleet are spread over the minute", () => {
  const seconds = Array.from({ length: 60 }, () => 0);
  for (let device = 0; device < 6000; device++)
    seconds[Math.floor((phaseOf(`ward-${device % 7}-core-${device}`) % 60_000) / 1000)]!++;
  expect(Math.min(...seconds)).toBeGreaterThan(50);
  expect(Math.max(...seconds)).toBeLessThan(200);
});

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ComponentHealth } from "./health.ts";

const health = {
  version: 1,
  component: "coalmine.SensorReader",
  componentVersion: "1.0.0",
  startedMs: 1,
  counters: { readings: 3 },
  gauges: { portsOpen: 0.5 },
  sums: { controlResidual: { sum: -0.5, count: 2 } },
};

test("counters are whole and not negative, gauges finite, sums carry a count", () => {
  expect(ComponentHealth.parse(health)).toEqual(health);
  const wrong = [
    ...[-1, 0.5, "3", null, 2 ** 53].map((readings) => ({ counters: { readings } })),
    ...[Infinity, NaN, "1", null].map((portsOpen) => ({ gauges: { portsOpen } })),
    ...[1, null, {}, { sum: 1 }, { sum: "1", count: 1 }, { sum: 1, count: -1 }].map((one) => ({
      sums: { controlResidual: one },
    })),
    ...[null, [], [1], "text", 1, undefined].flatMap((no) => [
      { counters: no },
      { gauges: no },
      { sums: no },
    ]),
  ];
  for (const change of wrong)
    expect(ComponentHealth.safeParse({ ...health, ...change }).success, JSON.stringify(change)).toBe(false);
});

test("whatever is counted comes through as it was", () => {
  const counters = fc.dictionary(fc.string(), fc.maxSafeNat());
  fc.assert(
    fc.property(counters, (counted) => {
      const read = ComponentHealth.parse({ ...health, counters: counted });
      expect(read.counters).toEqual(counted);
    }),
  );
});

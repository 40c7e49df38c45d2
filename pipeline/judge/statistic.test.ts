import fc from "fast-check";
import { expect, test } from "vitest";
import { arrange, type Arrangement } from "./arrangement.ts";
import { residuals, studentise, upperP } from "./statistic.ts";
import { trialPolicy } from "./trials.ts";

const devices = Array.from({ length: 12 }, (_, index) => ({
  thing: `t${index}`,
  stratum: index < 6 ? "a" : "b",
  cluster: `t${index}`,
}));

function arranged(canary: readonly number[]): Arrangement {
  const result = arrange({
    devices,
    draw: { how: "drawn", seed: "s", canary: canary.map((index) => `t${index}`) },
    policy: { ...trialPolicy, draws: 199 },
  });
  if (typeof result === "string") throw new Error(result);
  return result;
}

const outcomes = fc.record({
  now: fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 12, maxLength: 12 }),
  before: fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 12, maxLength: 12 }),
});
const pick = fc.tuple(
  fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 2, maxLength: 2 }),
  fc.shuffledSubarray([6, 7, 8, 9, 10, 11], { minLength: 2, maxLength: 2 }),
);

test("residuals, and hence every re-draw's statistic, do not depend on who is the canary [judge-2.4]", () => {
  fc.assert(
    fc.property(outcomes, pick, pick, (outcome, one, other) => {
      const arrays = { now: Float64Array.from(outcome.now), before: Float64Array.from(outcome.before) };
      const all = [one, other].map((canary) => {
        const arrangement = arranged(canary.flat());
        const e = new Float64Array(12);
        residuals(arrays, arrangement, 0, e);
        const statistic = new Float64Array(200);
        studentise(e, arrangement, statistic);
        return { e: [...e], redraws: Array.from(statistic.slice(1)) };
      });
      expect(all[0]).toEqual(all[1]);
    }),
  );
});

test("the real draw's statistic is the one a re-draw of the same devices has [judge-2.4]", () => {
  fc.assert(
    fc.property(outcomes, pick, (outcome, canary) => {
      const arrangement = arranged(canary.flat());
      const e = new Float64Array(12);
      residuals(
        { now: Float64Array.from(outcome.now), before: Float64Array.from(outcome.before) },
        arrangement,
        0,
        e,
      );
      const statistic = new Float64Array(200);
      if (studentise(e, arrangement, statistic) === undefined) return;
      const drawOf = (index: number) => arrangement.draws.slice(4 * index, 4 * index + 4).join();
      for (let index = 1; index < 200; index++)
        if (drawOf(index) === drawOf(0)) expect(statistic[index]).toBe(statistic[0]);
    }),
  );
});

test("equals the two-sample t statistic where there is one stratum and no past", () => {
  const single = arrange({
    devices: devices.map((device) => ({ ...device, stratum: "all" })),
    draw: { how: "drawn", seed: "s", canary: ["t0", "t1", "t2"] },
    policy: { ...trialPolicy, draws: 99 },
  });
  if (typeof single === "string") throw new Error(single);
  const now = Float64Array.from([3, 4, 5, 1, 2, 1, 2, 1, 2, 1, 2, 1.5]);
  const e = new Float64Array(12);
  residuals({ now, before: new Float64Array(12).fill(Number.NaN) }, single, 0, e);
  const statistic = new Float64Array(100);
  const scale = studentise(e, single, statistic);
  // Means 4 and 1.5, sums of squares 2 and 2, 10 degrees of freedom.
  expect(statistic[0]).toBeCloseTo(2.5 / (Math.sqrt(0.4) * Math.sqrt(1 / 3 + 1 / 9)), 9);
  expect(scale?.difference).toBeCloseTo(2.5, 9);
  expect(upperP(statistic)).toBeLessThanOrEqual(0.03);
});

test("a device's own past is taken off", () => {
  const arrangement = arranged([0, 6]);
  const before = Float64Array.from({ length: 12 }, (_, index) => index * 0.3);
  const e = new Float64Array(12);
  residuals({ now: before.map((value) => 2 * value + 1), before }, arrangement, 0, e);
  for (const value of e) expect(value).toBeCloseTo(0, 9);
});

test.each([
  [
    "a cluster that is split",
    [
      { ...devices[0], cluster: "x" },
      { ...devices[1], cluster: "x" },
    ],
    /split between/,
  ],
  [
    "a cluster in two strata",
    [
      { ...devices[1], cluster: "x" },
      { ...devices[7], cluster: "x" },
    ],
    /two strata/,
  ],
])("says why %s cannot be compared", (_, changed, reason) => {
  const list = [
    ...changed.map((one) => ({ ...one, thing: one.thing ?? "", stratum: one.stratum ?? "" })),
    devices[2],
    devices[3],
  ].flatMap((one) => (one === undefined ? [] : [one]));
  expect(
    arrange({ devices: list, draw: { how: "drawn", seed: "s", canary: ["t0"] }, policy: trialPolicy }),
  ).toMatch(reason);
});

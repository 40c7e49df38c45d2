import { SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { beyondLimits, steadiness, type Timed } from "./steadiness.ts";

const random = new SeededRandom("steadiness");
/** As a self-test reads: four parts of five, a second apart. */
const minutes = Array.from({ length: 20 }, (_, index) => (Math.floor(index / 5) + 0.05 * (index % 5)) / 60);
const run = (noise: number, drift: number, mean: number): Timed[] =>
  minutes.map((at) => [at, mean + drift * (at - 1 / 60) + noise * random.normal()]);
const limits = { noise: 0.01, offset: 0.05, driftPerMinute: 0.05 };

test("an interval of 99 % holds the truth in 99 of 100 runs, of mean and of drift", () => {
  const runs = 4000;
  let mean = 0;
  let drift = 0;
  for (let index = 0; index < runs; index++) {
    const found = steadiness(run(0.003, 0.02, 1), "Pa");
    if (Math.abs(found.mean - 1 - 0.02 * (average(minutes) - 1 / 60)) <= found.meanHalfWidth) mean++;
    if (Math.abs(found.driftPerMinute - 0.02) <= found.driftHalfWidth) drift++;
  }
  expect(mean / runs).toBeCloseTo(0.99, 2);
  expect(drift / runs).toBeCloseTo(0.99, 2);
});

test("at a limit one run in a hundred is beyond it; from 2.2 times the noise on 99 in a hundred are", () => {
  const runs = 2000;
  const share = (of: () => readonly string[], what: string) => {
    let count = 0;
    for (let index = 0; index < runs; index++) if (of().includes(what)) count++;
    return count / runs;
  };
  const beyond = (noise: number, drift: number, mean: number) => () =>
    beyondLimits(steadiness(run(noise, drift, mean), "Pa", limits));
  expect(share(beyond(limits.noise, 0, 0), "noise")).toBeLessThan(0.02);
  expect(share(beyond(0.001, limits.driftPerMinute, 0), "drift")).toBeLessThan(0.02);
  expect(share(beyond(0.005, 0, limits.offset), "offset")).toBeLessThan(0.02);
  expect(share(beyond(2.25 * limits.noise, 0, 0), "noise")).toBeGreaterThan(0.98);
});

test("of two readings, or of none, nothing is said of noise and drift, and no limit is passed", () => {
  for (const readings of [
    [],
    [[0, 1]],
    [
      [0, 1],
      [1, 9],
    ],
  ] as Timed[][]) {
    const found = steadiness(readings, "Pa", limits);
    expect(found.noise).toBe(0);
    expect(beyondLimits(found)).toEqual([]);
    expect(Object.values(found).every((value) => typeof value !== "number" || Number.isFinite(value))).toBe(
      true,
    );
  }
});

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

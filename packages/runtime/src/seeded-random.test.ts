import { expect, test } from "vitest";
import { SeededRandom } from "./seeded-random.ts";

test("the same seed gives the same numbers, another seed others", () => {
  const draw = (seed: string) =>
    Array.from(
      { length: 5 },
      (
        (random) => () =>
          random.next()
      )(new SeededRandom(seed)),
    );
  expect(draw("7")).toEqual(draw("7"));
  expect(draw("7")).not.toEqual(draw("8"));
});

test("a fork does not depend on what was drawn before", () => {
  const early = new SeededRandom("s").fork("a").next();
  const late = new SeededRandom("s");
  late.next();
  expect(late.fork("a").next()).toBe(early);
});

test("mean and variance of uniform and normal draws are near their own", () => {
  const random = new SeededRandom("moments");
  const n = 20_000;
  const mean = (draw: () => number) =>
    Array.from({ length: n }, draw).reduce((sum, value) => sum + value, 0) / n;
  expect(mean(() => random.next())).toBeCloseTo(0.5, 1);
  expect(mean(() => random.normal())).toBeCloseTo(0, 1);
  expect(mean(() => random.normal() ** 2)).toBeCloseTo(1, 1);
});

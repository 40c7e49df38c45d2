import { expect, test } from "vitest";
import { overBudget, readBudget } from "./budget.ts";

/** Types, lint, format and dead code: 36 s by themselves, on a machine that does much else twice that. */
const CHECK_SECONDS = 80;

const times = [
  { project: "unit", seconds: 10 },
  { project: "unit", seconds: 20.4 },
  { project: "together", seconds: 5 },
];

test("what stays within its share is not named", () => {
  expect(overBudget(times, { unit: 30.5, together: 5 })).toEqual([]);
});

test("a project over its share, or without one, is named with both figures", () => {
  expect(overBudget(times, { unit: 20 })).toEqual([
    "unit took 30 of 20 worker seconds; make it quicker, or move what is long to test:long",
    "together took 5 worker seconds and has no share; give it one in test/budget.json",
  ]);
});

test("two workers have the shares of all projects within fifteen minutes, with the checks before them", () => {
  const all = Object.values(readBudget()).reduce((sum, share) => sum + share, 0);
  expect(all / 2 + CHECK_SECONDS).toBeLessThanOrEqual(15 * 60);
});

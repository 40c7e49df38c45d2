import { expect, test } from "vitest";
import { shrink } from "./shrink.ts";

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
const holding =
  (...wanted: number[]) =>
  async (items: readonly number[]) =>
    wanted.every((one) => items.includes(one));

test.each([[[3]], [[0, 19]], [[4, 5, 6, 13]], [numbers(20)]])(
  "of twenty faults %j are left",
  async (wanted) => {
    const { items, isSmallest } = await shrink(numbers(20), holding(...wanted), 1000);
    expect([items, isSmallest]).toEqual([wanted, true]);
  },
);

test("what fails without any fault is told after one run", async () => {
  expect(await shrink(numbers(5), async () => true, 100)).toEqual({ items: [], runs: 1, isSmallest: true });
});

test("at the bound the best so far is given, and it is said that it may not be the smallest", async () => {
  const { items, runs, isSmallest } = await shrink(numbers(64), holding(7, 50), 6);
  expect(runs).toBe(6);
  expect(isSmallest).toBe(false);
  expect(items).toEqual(expect.arrayContaining([7, 50]));
});

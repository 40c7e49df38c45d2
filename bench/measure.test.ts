import { expect, test } from "vitest";
import { atLeast, atMost, inTurn, median, ratio } from "./measure.ts";

test("the median of odd and even many", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(() => median([])).toThrow("nothing");
});

test("candidates take turns, and a ratio is the median of the rounds' own", async () => {
  const order: string[] = [];
  let round = 0;
  const { a, b } = await inTurn(
    {
      a: () => (order.push("a"), ++round),
      // Twice as slow whatever the round's noise is.
      b: async () => (order.push("b"), 2 * round),
    },
    3,
  );
  expect(order.join("")).toBe("ababab");
  expect(ratio(b, a)).toBe(2);
});

test("a demand says whether it is met", () => {
  expect(atLeast(1.3, "x", 1.2)).toEqual({ value: 1.3, unit: "x", demand: ">= 1.2", ok: true });
  expect(atMost(1.3, "x", 1.2)).toEqual({ value: 1.3, unit: "x", demand: "<= 1.2", ok: false });
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { Retiring } from "./retiring.ts";

test("retires the largest within what is spent, and tells where the boundary was", () => {
  const retiring = new Retiring(10);
  retiring.look(Float64Array.from([8, 9, 7, 1, 2, 3, 4, 5, 6, 0]), 0.2);
  expect(retiring.realBoundary).toBe(7);
});

test("retires none of those that tie at the boundary, and carries over what it did not spend [judge-2.3]", () => {
  const retiring = new Retiring(10);
  retiring.look(Float64Array.from([9, 9, 9, 1, 1, 1, 1, 1, 1, 1]), 0.2);
  expect(retiring.realBoundary).toBeUndefined();
  retiring.look(Float64Array.from([9, 9, 9, 1, 1, 1, 1, 1, 1, 1]), 0.3);
  expect(retiring.realBoundary).toBe(1);
});

test("retires as sorting all values would, and nothing where it says that it cannot", () => {
  const values = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 20, maxLength: 20 });
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (list, spent) => {
      const retiring = new Retiring(20);
      const quota = Math.floor(spent * 20 + 1e-9);
      expect(retiring.canRetire(spent)).toBe(quota > 0);
      retiring.look(Float64Array.from(list), spent);
      const boundary = list.toSorted((a, b) => a - b)[19 - quota];
      const retired = quota > 0 && boundary !== undefined && (list[0] ?? 0) > boundary;
      expect(retiring.realBoundary).toBe(retired ? boundary : undefined);
    }),
  );
});

test("never retires more than alpha of the draws, whatever the looks", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 40, maxLength: 40 }), {
        minLength: 1,
        maxLength: 8,
      }),
      (looks) => {
        // Each draw in turn plays the real one: so many of the forty would ever be called out.
        const called = Array.from({ length: 40 }, (_, real) => {
          const retiring = new Retiring(40);
          for (const [index, values] of looks.entries()) {
            const turned = [...values.slice(real), ...values.slice(0, real)];
            retiring.look(Float64Array.from(turned), (0.25 * (index + 1)) / looks.length);
          }
          return retiring.realBoundary !== undefined;
        });
        expect(called.filter(Boolean).length).toBeLessThanOrEqual(10);
      },
    ),
  );
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { Planner, type Wanted } from "./plan.ts";
import type { ReadFunction } from "./request.ts";

const limits = { gapMax: 8, registersMax: 125 };
const asked = (planner: Planner<Wanted>) =>
  planner.blocks.map(({ function: code, address, count }) => [code, address, count]);

test("neighbours go into one request, also over a small gap, never over a large one or another function", () => {
  const planner = new Planner<Wanted>(
    [
      { function: 3, address: 10, count: 2 },
      { function: 3, address: 0, count: 2 },
      { function: 3, address: 30, count: 1 },
      { function: 4, address: 31, count: 1 },
    ],
    limits,
  );
  expect(asked(planner)).toEqual([
    [3, 0, 12],
    [3, 30, 1],
    [4, 31, 1],
  ]);
});

test("a refused request is split at its gaps, which are never read again", () => {
  const planner = new Planner<Wanted>(
    [
      { function: 3, address: 0, count: 2 },
      { function: 3, address: 2, count: 2 },
      { function: 3, address: 6, count: 2 },
    ],
    limits,
  );
  const [merged] = planner.blocks;
  if (merged === undefined) throw new Error("no block");
  expect(planner.refused(merged).map(({ address, count }) => [address, count])).toEqual([
    [0, 4],
    [6, 2],
  ]);
  expect(asked(planner)).toEqual([
    [3, 0, 4],
    [3, 6, 2],
  ]);
});

test("whatever is wanted and whatever is missing: each item is asked once, no request is too long, and what exists is found in few requests", () => {
  const items = fc.uniqueArray(
    fc.record({
      function: fc.constantFrom<ReadFunction>(1, 3, 4),
      address: fc.nat(400),
      count: fc.constantFrom(1, 2, 4),
    }),
    { minLength: 1, maxLength: 40, selector: (item) => `${item.function} ${item.address}` },
  );
  const holes = fc.array(fc.nat(400), { maxLength: 20 });
  fc.assert(
    fc.property(items, holes, fc.integer({ min: 4, max: 125 }), (wanted, missing, registersMax) => {
      const planner = new Planner<Wanted>(wanted, { gapMax: 8, registersMax });
      const exists = ({ address, count }: Wanted) =>
        missing.every((hole) => hole < address || hole >= address + count);
      let requests = 0;
      let answered = new Set<Wanted>();
      const ask = (blocks: readonly (Wanted & { readonly items: readonly Wanted[] })[]) => {
        for (const block of blocks) {
          requests++;
          expect(block.count).toBeLessThanOrEqual(block.function <= 2 ? 16 * registersMax : registersMax);
          if (exists(block)) for (const item of block.items) answered.add(item);
          else ask(planner.refused(block));
        }
      };
      ask(planner.blocks);
      expect(answered).toEqual(new Set(wanted.filter(exists)));
      expect(requests).toBeLessThanOrEqual(12 * wanted.length);
      // Learned: from now on every request that may be answered is.
      answered = new Set();
      for (const block of planner.blocks)
        if (exists(block)) for (const item of block.items) answered.add(item);
      expect(answered).toEqual(new Set(wanted.filter(exists)));
      const all = planner.blocks.flatMap((block) => block.items);
      expect(all.length).toBe(wanted.length);
    }),
  );
});

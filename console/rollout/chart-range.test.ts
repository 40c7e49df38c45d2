import fc from "fast-check";
import { expect, test } from "vitest";
import { fieldText, looksWithin, rangeIn, rangeText, withEnd } from "./chart-range.ts";

const looks = [1, 2, 3, 4].map((minute) => ({ atMs: minute * 60_000, canary: null, baseline: null }));
const minutes = (range: Parameters<typeof looksWithin>[1]): number[] =>
  looksWithin(looks, range).map(({ atMs }) => atMs / 60_000);

test("a range holds its ends, and one without them is the whole chart", () => {
  expect(minutes({})).toEqual([1, 2, 3, 4]);
  expect(minutes({ fromMs: 120_000, toMs: 180_000 })).toEqual([2, 3]);
  expect(minutes({ fromMs: 180_001 })).toEqual([4]);
});

test("a range in a link is the same when it is opened, and what is no time is no end", () => {
  const end = fc.option(fc.integer({ min: 0, max: 4_102_444_800_000 }), { nil: undefined });
  fc.assert(
    fc.property(end, end, (fromMs, toMs) => {
      const range = {
        ...(fromMs === undefined ? {} : { fromMs }),
        ...(toMs === undefined ? {} : { toMs }),
      };
      expect(rangeIn(rangeText(range))).toEqual(range);
    }),
  );
  expect(rangeIn({ from: "yesterday", to: "-1" })).toEqual({});
});

test("a minute that is chosen is within, from its beginning to its end, in whichever zone it is read", () => {
  const minute = fc.integer({ min: 0, max: 68_000_000 });
  fc.assert(
    fc.property(minute, (number) => {
      const atMs = number * 60_000;
      const field = fieldText(atMs);
      const chosen = withEnd(withEnd({}, "fromMs", field), "toMs", field);
      // Where a clock is set back an hour, one field names two minutes.
      expect([0, 3_600_000]).toContain(Math.abs((chosen.fromMs ?? 0) - atMs));
      expect((chosen.toMs ?? 0) - (chosen.fromMs ?? 0)).toBe(59_999);
    }),
  );
  expect(withEnd({ fromMs: 1, toMs: 2 }, "fromMs", "")).toEqual({ toMs: 2 });
});

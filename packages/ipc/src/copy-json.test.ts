import fc from "fast-check";
import { expect, test } from "vitest";
import { copyJson } from "./copy-json.ts";

test("a copy is what writing and reading the JSON gives", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.anything({ withDate: true, withSparseArray: true })),
      (value) => {
        fc.pre(!/bigint/.test(kinds(value)));
        expect(copyJson(value)).toEqual(JSON.parse(JSON.stringify(value)));
      },
    ),
    { numRuns: 500 },
  );
});

test("a copy shares nothing, keeps a key called __proto__ a key, and refuses what JSON refuses", () => {
  const value = { inner: { list: [1, { a: 1 }] } };
  const copy = copyJson(value);
  value.inner.list.push(2);
  expect(copy).toEqual({ inner: { list: [1, { a: 1 }] } });
  const odd = copyJson(JSON.parse('{"__proto__":{"polluted":true}}') as object);
  expect(Object.keys(odd)).toEqual(["__proto__"]);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  expect(() => copyJson({ big: 1n })).toThrow(/bigint/);
  const circle: { self?: unknown } = {};
  circle.self = circle;
  expect(() => copyJson(circle)).toThrow(/deeper/);
  expect(() => copyJson([])).toThrow(/no object/);
});

/** The kinds of value within, as text. */
function kinds(value: unknown): string {
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.values(value).map(kinds).join();
}

import { expect, test } from "vitest";
import { resolveConfiguration } from "./resolve.ts";
import { ConfigurationTree, interior, toJson } from "./tree.ts";

function present(value: Record<string, never> | object, at: number) {
  const tree = new ConfigurationTree(interior("configuration"));
  tree.merge([], JSON.parse(JSON.stringify(value)), at);
  return tree.root;
}

test("RESET removes, defaults fill what is missing, MERGE comes last [core-device-2.1]", () => {
  const next = resolveConfiguration(
    present({ kept: "old", reset: "mine", gone: 1, deep: { a: 1 } }, 50),
    { kept: "new", reset: "default", deep: { b: 2 }, fresh: true },
    { reset: ["/reset", "/gone"], merge: { deep: { a: 9 }, list: [1] } },
    100,
  );
  expect(toJson(next)).toEqual({
    kept: "old",
    reset: "default",
    deep: { a: 9, b: 2 },
    fresh: true,
    list: [1],
  });
});

test("a RESET of everything ignores the other pointers [core-device-2.2]", () => {
  const next = resolveConfiguration(present({ a: 1, b: 2 }, 50), { b: 3 }, { reset: ["/a", ""] }, 100);
  expect(toJson(next)).toEqual({ b: 3 });
});

test("a pointer with a numeric segment is passed over [core-device-2.3]", () => {
  const next = resolveConfiguration(present({ a: { 0: "x" } }, 50), {}, { reset: ["/a/0"] }, 100);
  expect(toJson(next)).toEqual({ a: { 0: "x" } });
});

test("a value written later than the deployment was made stays [core-device-2.4]", () => {
  const next = resolveConfiguration(
    present({ a: "by the component" }, 200),
    {},
    { merge: { a: "late", b: 1 } },
    100,
  );
  expect(toJson(next)).toEqual({ a: "by the component", b: 1 });
});

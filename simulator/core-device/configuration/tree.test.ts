import type { JsonObject, JsonValue } from "@coalmine/ports";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ConfigurationTree, modtimeOf, type Change } from "./tree.ts";

test("a write as new as the leaf applies, an older one does not [core-device-1.1]", () => {
  const tree = new ConfigurationTree();
  tree.merge(["services", "X", "configuration"], { rate: 1 }, 100);
  tree.merge(["services", "X", "configuration"], { rate: 2 }, 100);
  expect(tree.get(["services", "x", "configuration", "Rate"])).toBe(2);
  tree.merge(["services", "X", "configuration"], { rate: 3 }, 99);
  expect(tree.get(["services", "X", "configuration", "rate"])).toBe(2);
});

test("an equal value with a newer time changes the time only [core-device-1.2]", () => {
  const tree = new ConfigurationTree();
  const seen: Change[] = [];
  tree.merge(["a"], { b: [1, { c: 2 }] }, 5);
  tree.onChange((change) => seen.push(change));
  tree.merge(["a"], { b: [1, { c: 2 }] }, 9);
  expect(seen).toEqual([{ kind: "timestampUpdated", path: ["a", "b"], timestamp: 9 }]);
});

test("a container is as new as its newest child [core-device-1.3]", () => {
  const tree = new ConfigurationTree();
  tree.merge(["a"], { old: 1 }, 5);
  tree.merge(["a"], { deep: { young: 1 } }, 50);
  const node = tree.find(["a"]);
  expect(node && modtimeOf(node)).toBe(50);
});

test("a container that is replaced holds what is wanted, and what is newer of it [core-device-1.10]", () => {
  const tree = new ConfigurationTree();
  tree.merge(["a"], { same: 1, newer: 1, older: 1, gone: 1, turns: { x: 1 }, flat: 1 }, 5);
  tree.merge(["a"], { newer: 2, gone: 2, turns: { x: 2 }, flat: 2 }, 20);
  const wanted = new ConfigurationTree();
  wanted.merge(["a"], { same: 1, newer: 3, older: 3, turns: 3, flat: { deep: 3 } }, 10);
  const [node] = wanted.root.children.values();
  if (node?.kind !== "interior") throw new Error("no container");
  const heard: string[] = [];
  tree.onChange(({ kind, path }) => heard.push(`${kind} ${path.join("/")}`));
  tree.replace(["a"], node);
  expect(tree.get(["a"])).toEqual({ same: 1, newer: 2, older: 3, turns: 3, flat: { deep: 3 } });
  expect(heard).toEqual([
    "removed a/gone",
    "removed a/turns",
    "removed a/flat",
    "timestampUpdated a/same",
    "changed a/older",
    "changed a/turns",
    "interiorAdded a/flat",
    "changed a/flat/deep",
  ]);
});

test("what the device itself keeps counts, also where the clock was set back [core-device-1.9]", () => {
  const tree = new ConfigurationTree();
  tree.set(["a", "n"], 1, 100);
  tree.set(["a", "n"], 2, 50);
  expect([tree.get(["a", "n"]), modtimeOf(tree.root)]).toEqual([2, 100]);
});

test("the tree agrees with a flat model of leaves under any writes and removals [core-device-1.1]", () => {
  const name = fc.constantFrom("a", "b", "c");
  const path = fc.array(name, { minLength: 1, maxLength: 3 });
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("write" as const),
      path,
      value: fc.oneof(fc.nat(3), fc.constant(null)),
      at: fc.nat(10),
    }),
    fc.record({ kind: fc.constant("remove" as const), path, at: fc.nat(10) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const tree = new ConfigurationTree();
      const model = new Map<string, { value: JsonValue; at: number }>();
      for (const next of steps) {
        const key = next.path.join("/");
        const below = [...model.keys()].filter((other) => other.startsWith(`${key}/`));
        if (next.kind === "remove") {
          tree.remove(next.path, next.at);
          for (const gone of [key, ...below]) model.delete(gone);
          continue;
        }
        // Whether a leaf may become a container, or the reverse, is another test's matter.
        const above = next.path.slice(0, -1).map((_, index) => next.path.slice(0, index + 1).join("/"));
        if (below.length > 0 || above.some((other) => model.has(other))) continue;
        if (tree.find(next.path)?.kind === "interior") continue;
        tree.merge(next.path, next.value, next.at);
        const present = model.get(key);
        if (present === undefined || next.at >= present.at)
          model.set(key, { value: next.value, at: next.at });
      }
      expect(leavesOf(tree.getObject([]))).toEqual(
        new Map([...model].map(([key, { value }]) => [key, value] as const)),
      );
    }),
    { numRuns: 2000 },
  );
});

function leavesOf(object: JsonObject, before = ""): Map<string, JsonValue> {
  const leaves = new Map<string, JsonValue>();
  for (const [name, value] of Object.entries(object))
    if (value !== null && typeof value === "object" && !Array.isArray(value))
      for (const [key, leaf] of leavesOf(value, `${before}${name}/`)) leaves.set(key, leaf);
    else leaves.set(before + name, value);
  return leaves;
}

import { expect, test } from "vitest";
import { touchedTests } from "./check.ts";

test("a change brings the tests of its own workspace or part, and of nothing else", () => {
  const touched = touchedTests([
    "components/sensor-reader/src/points.ts",
    "pipeline/judge/judge.ts",
    "README.md",
    "components/sensor-reader/package.json",
  ]);
  expect(touched).toContain("components/sensor-reader");
  expect(touched).toContain("pipeline/judge");
  expect(touched.filter((path) => path.startsWith("components"))).toHaveLength(1);
  expect(touched.some((path) => path.startsWith("simulator"))).toBe(false);
});

test("a file that lies directly in a folder brings the tests that begin with its name", () => {
  expect(touchedTests(["pipeline/policy.yaml"])).toContain("pipeline/policy");
});

test("the import table, recipes and the policy are always checked", () => {
  expect(touchedTests([])).toEqual([
    "test/tidy.test.ts",
    "packages/recipe",
    "pipeline/policy.test.ts",
    "pipeline/definition.test.ts",
  ]);
});

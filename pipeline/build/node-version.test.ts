import { compareVersions, satisfies } from "@coalmine/recipe";
import { expect, test } from "vitest";
import { checkout } from "./fixture-checkout.ts";
import { nodeRuntimeVersion, packagingOf, pinnedNode } from "./node-version.ts";

test("versions are in the order of Node's, then of their packaging, and fit the range of the recipes", () => {
  const ordered = [
    nodeRuntimeVersion("24.21.0", 0),
    nodeRuntimeVersion("24.21.0", 1),
    nodeRuntimeVersion("24.21.0", 999),
    nodeRuntimeVersion("24.21.1", 0),
    nodeRuntimeVersion("24.21.10", 2),
    nodeRuntimeVersion("24.22.0", 0),
  ];
  expect([...ordered].reverse().sort(compareVersions)).toEqual(ordered);
  expect(ordered.every((version) => satisfies(version, ">=24.0.0 <25.0.0"))).toBe(true);
});

test("the packaging number can be read back", () => {
  for (const packaging of [0, 1, 999])
    expect(packagingOf(nodeRuntimeVersion("24.21.7", packaging))).toBe(packaging);
});

test("what makes no release is refused", () => {
  expect(() => nodeRuntimeVersion("24.21.0", 1000)).toThrow(/packaging number 1000/);
  expect(() => nodeRuntimeVersion("25.0.0-nightly1", 0)).toThrow(/pin a release/);
});

test("the lockfile pins one Node for all platforms", () => {
  expect(pinnedNode(checkout)).toMatch(/^24\.\d+\.\d+$/);
});

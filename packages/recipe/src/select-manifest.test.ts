import { expect, test } from "vitest";
import { parseRecipe, selectManifest } from "./index.ts";

function recipe(manifests: unknown[], lifecycle: unknown = {}) {
  return parseRecipe(
    JSON.stringify({
      RecipeFormatVersion: "2020-01-25",
      ComponentName: "a",
      ComponentVersion: "1.0.0",
      Manifests: manifests,
      Lifecycle: lifecycle,
    }),
    "a.json",
  );
}
const pi = { os: "linux", architecture: "aarch64", "architecture.detail": "armv8" };
const chosen = (manifests: { Name: string; Platform?: unknown }[], platform: Record<string, string> = pi) =>
  selectManifest(recipe(manifests), platform)?.name;

test("the first manifest whose platform fits is taken [core-device-12.5]", () => {
  expect(
    chosen([
      { Name: "windows", Platform: { os: "windows" } },
      { Name: "arm", Platform: { os: "linux", architecture: "aarch64" } },
      { Name: "any" },
    ]),
  ).toBe("arm");
});

test("a manifest without a platform fits every device, none fitting is none [core-device-12.5]", () => {
  expect(chosen([{ Name: "any" }], {})).toBe("any");
  expect(chosen([{ Name: "windows", Platform: { os: "windows" } }])).toBeUndefined();
});

test.each([
  ["an exact value", { architecture: "aarch64" }, true],
  ["a value that is only a part", { architecture: "arm" }, false],
  ["an expression over the whole value", { architecture: "/aarch64|arm/" }, true],
  ["an expression over a part", { architecture: "/arch/" }, false],
  ["a star for what is there", { os: "*" }, true],
  ["a star for what the device lacks", { runtime: "*" }, true],
  ["an expression for what the device lacks", { runtime: "/.*/" }, false],
  ["the word all for the system", { os: "all" }, true],
  ["the word any for the architecture", { architecture: "any" }, true],
  ["the word any for another attribute", { "architecture.detail": "any" }, false],
  ["one attribute that fits and one that does not", { os: "linux", architecture: "amd64" }, false],
])("%s: %j → %s [core-device-12.6]", (_, platform, fits) => {
  expect(chosen([{ Name: "it", Platform: platform }])).toBe(fits ? "it" : undefined);
});

test("a manifest's own lifecycle goes before the global one, whole [core-device-12.7]", () => {
  const own = { Run: { all: "kept as it is written" } };
  expect(selectManifest(recipe([{ Lifecycle: own }], { Run: "global" }), pi)?.lifecycle).toEqual(own);
  expect(selectManifest(recipe([{}], { Run: "global" }), pi)?.lifecycle).toEqual({ Run: "global" });
});

test("the manifest's selections choose in their order, at every level, and drop what stands beside [core-device-12.7]", () => {
  const lifecycle = {
    Setenv: { A: "1" },
    Install: { fast: "fast", slow: "slow", Timeout: 5 },
    Run: { Script: { slow: "slow run", other: "other run", all: "for all" } },
    Shutdown: { all: "stop" },
    Recover: { other: "not for this one" },
  };
  const two = recipe(
    [
      { Name: "mine", Selections: ["slow", "fast"] },
      { Platform: { os: "windows" }, Selections: ["other"] },
    ],
    lifecycle,
  );
  expect(selectManifest(two, pi)?.lifecycle).toEqual({
    Setenv: { A: "1" },
    Install: "slow",
    Run: { Script: "slow run" },
    Shutdown: "stop",
  });
});

test("a manifest without selections takes what is for all; a word that nobody selects is an ordinary key [core-device-12.7]", () => {
  const lifecycle = { Run: { all: { Script: "x", fast: "y" } } };
  expect(selectManifest(recipe([{}], lifecycle), pi)?.lifecycle).toEqual({
    Run: { Script: "x", fast: "y" },
  });
});

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fuzzed } from "../../../test/fuzzed.ts";
import {
  checkRecipe,
  INTERPOLATED_CHARACTERS_MAX,
  interpolate,
  InterpolationError,
  parseRecipe,
  parseSteps,
  RecipeError,
  selectManifest,
} from "./index.ts";

const head = `RecipeFormatVersion: "2020-01-25"
ComponentName: a
ComponentVersion: 1.0.0
`;
const manifest = "Manifests: [{}]\n";
const bomb = [
  "a0: &a0 [x,x,x,x,x,x,x,x,x,x]",
  ...Array.from(
    { length: 9 },
    (_, n) => `a${n + 1}: &a${n + 1} [${Array.from({ length: 10 }, () => `*a${n}`).join(",")}]`,
  ),
].join("\n");

test.each([
  ["aliases that unfold to a thousand million", `${head}${manifest}${bomb}\n`],
  [
    "an alias to itself",
    `${head}${manifest}ComponentConfiguration: &c { DefaultConfiguration: { again: *c } }\n`,
  ],
  [
    "maps a thousand times within each other",
    `${head}${manifest}Lifecycle: ${"{a: ".repeat(5000)}1${"}".repeat(5000)}\n`,
  ],
  ["lists a hundred thousand times within each other", "[".repeat(100_000)],
  ["text longer than any recipe", `${head}${manifest}# ${"x".repeat(1_100_000)}\n`],
  ["merge keys that are no maps", `${head}<<: 5\nManifests: 5\n`],
  ["an unknown tag", `${head}Manifests: !!js/function "x"\n`],
  ["bytes that are no text", "\u0000\u0001\uFFFF"],
])("a hostile recipe is refused with its place, soon: %s", (_, text) => {
  const started = performance.now();
  expect(() => parseRecipe(text, "hostile.yaml")).toThrow(RecipeError);
  const [fault] = checkRecipe(text, "hostile.yaml");
  expect(fault?.message).toMatch(/hostile\.yaml:\d+:\d+: /);
  // It takes a tenth; a bomb takes the machine.
  expect(performance.now() - started).toBeLessThan(20_000);
});

test("whatever is written, a recipe is read or refused as a recipe [core-device-12.15]", async () => {
  const word = fc.constantFrom(
    "ComponentName",
    "componentversion",
    "Manifests",
    "Platform",
    "os",
    "/l.*/",
    "Lifecycle",
    "Run",
    "Script",
    "Skipif",
    "&a",
    "*a",
    "!!int",
    "{",
    "}",
    "[",
    "]",
    ":",
    "- ",
    "\n",
    "  ",
    "|",
    "'",
    '"',
    "1.0.0",
    "{configuration:/x}",
    "__proto__",
  );
  await fuzzed(
    fc.property(fc.array(fc.oneof(word, fc.string({ maxLength: 5 })), { maxLength: 60 }), (words) => {
      const text = `${head}${words.join("")}`;
      try {
        const recipe = parseRecipe(text, "any.yaml");
        const selected = selectManifest(recipe, { os: "linux", architecture: "amd64" });
        parseSteps(selected?.lifecycle ?? {});
      } catch (failure) {
        expect(failure).toBeInstanceOf(RecipeError);
      }
    }),
  );
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

test("a short script that would grow past any memory is refused", () => {
  const long = "x".repeat(100_000);
  const context = {
    component: "a",
    configuration: () => ({ long }),
    artifactsPath: () => undefined,
    decompressedPath: () => undefined,
    workPath: () => undefined,
    kernelRootPath: "/",
    thingName: "t",
    directDependencies: new Set<string>(),
  };
  expect(interpolate("{configuration:/long}".repeat(40), context)).toHaveLength(4_000_000);
  expect(() => interpolate("{configuration:/long}".repeat(50), context)).toThrow(InterpolationError);
  expect(INTERPOLATED_CHARACTERS_MAX).toBeGreaterThan(4_000_000);
});

test("a recipe without faults has none, and every step that could not be run is named with its place [core-device-12.14]", () => {
  expect(checkRecipe(`${head}${manifest}`, "good.yaml")).toEqual([]);
  const faulty = `${head}Manifests:
  - Platform: { os: linux }
    Lifecycle:
      Install: { Timeout: 5 }
      Run:
        Script: echo
        Skipif: sometimes
  - Selections: [ other ]
  - Selections: [ other ]
Lifecycle:
  Startup:
    other: { Script: echo, Timeout: soon }
`;
  expect(checkRecipe(faulty, "faulty.yaml").map(({ message }) => message)).toEqual([
    "RECIPE_STEP_NOT_VALID: faulty.yaml:7:16: the install step has no Script; write it as text, or as a map with the key Script.",
    'RECIPE_STEP_NOT_VALID: faulty.yaml:9:9: the run step has Skipif "sometimes"; write "onpath <program>" or "exists <path>", with ! before it for the contrary.',
    'RECIPE_STEP_NOT_VALID: faulty.yaml:15:5: the startup step has Timeout "soon"; write a number of seconds.',
  ]);
  const tooLarge = checkRecipe(`${head}${manifest}# ${"x".repeat(16_000)}`, "large.yaml");
  expect(tooLarge.map(({ code }) => code)).toEqual(["RECIPE_TOO_LARGE"]);
});

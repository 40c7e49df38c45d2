import { expect, test } from "vitest";
import { parseRecipe, RecipeError } from "./index.ts";

const whole = `RecipeFormatVersion: 2020-01-25
ComponentName: plant.Reader
ComponentVersion: 1.10.0
ComponentDescription: reads
ComponentConfiguration:
  DefaultConfiguration: { Rate: 5, nested: { on: true } }
ComponentDependencies:
  plant.Base: { VersionRequirement: 1.10 }
  plant.Model: { VersionRequirement: ^2.0.0, DependencyType: SOFT }
Manifests:
  - Platform: { os: linux }
    Artifacts:
      - Uri: s3://bucket/key/file.zip
`;

/** What `parseRecipe` says of `text`; the test fails where it says nothing. */
function refusal(text: string): RecipeError {
  try {
    parseRecipe(text, "plant.yaml");
  } catch (failure) {
    if (failure instanceof RecipeError) return failure;
    throw failure;
  }
  throw new Error("the recipe was taken");
}

test("a recipe has its defaults filled in, and numbers that are text stay as they are written [core-device-12.3]", () => {
  expect(parseRecipe(whole, "plant.yaml")).toEqual({
    formatVersion: "2020-01-25",
    componentName: "plant.Reader",
    componentVersion: "1.10.0",
    componentType: "aws.greengrass.generic",
    description: "reads",
    configuration: { Rate: 5, nested: { on: true } },
    dependencies: {
      "plant.Base": { versionRequirement: "1.10", dependencyType: "HARD" },
      "plant.Model": { versionRequirement: "^2.0.0", dependencyType: "SOFT" },
    },
    manifests: [
      {
        platform: { os: "linux" },
        lifecycle: {},
        selections: [],
        artifacts: [
          {
            uri: "s3://bucket/key/file.zip",
            unarchive: "NONE",
            permission: { read: "OWNER", execute: "NONE" },
          },
        ],
      },
    ],
    lifecycle: {},
  });
});

test("keys are taken in any case, unknown ones ignored, JSON read like YAML [core-device-12.1]", () => {
  const json = JSON.stringify({
    recipeformatversion: "2020-01-25",
    COMPONENTNAME: "a",
    componentVersion: "1.0.0",
    manifests: [{ ARTIFACTS: [{ uri: "greengrass:x", unarchive: "zip", permission: { execute: "owner" } }] }],
    Whatever: { deep: [1] },
  });
  const recipe = parseRecipe(json, "a.json");
  expect(recipe.componentName).toBe("a");
  expect(recipe).not.toHaveProperty("Whatever");
  expect(recipe.manifests[0]?.artifacts[0]?.unarchive).toBe("ZIP");
});

test("who may execute an artifact may read it [core-device-12.12]", () => {
  const recipe = parseRecipe(
    whole.replace("file.zip", "file.zip\n        Permission: { Execute: ALL }"),
    "plant.yaml",
  );
  expect(recipe.manifests[0]?.artifacts[0]?.permission).toEqual({ read: "ALL", execute: "ALL" });
});

test("a refusal is one sentence with the code, the place, what was found, the rule and the remedy [core-device-12.2]", () => {
  expect(refusal(whole.replace("plant.Reader", "plant reader")).message).toBe(
    'RECIPE_PARSE_ERROR: plant.yaml:2:16: ComponentName must be 1 to 128 letters, digits, hyphens, underscores and points, and no . or .. alone, and is "plant reader"; give it such a name.',
  );
});

test.each([
  ["a name that is another folder", "plant.Reader", "..", "RECIPE_PARSE_ERROR", 2, 16],
  ["a version that is not semantic", "1.10.0", "1.10", "COMPONENT_VERSION_NOT_VALID", 3, 19],
  ["a version with leading zeros", "1.10.0", "01.1.0", "COMPONENT_VERSION_NOT_VALID", 3, 19],
  ["a version number beyond 999999", "1.10.0", "1.1000000.0", "COMPONENT_VERSION_NOT_VALID", 3, 19],
  ["another format version", "2020-01-25", "2019-01-25", "RECIPE_PARSE_ERROR", 1, 22],
  ["a range that is none", "^2.0.0", "two", "COMPONENT_DEPENDENCY_NOT_VALID", 9, 38],
  [
    "a dependency without a range",
    "VersionRequirement: 1.10",
    "x: 1",
    "COMPONENT_DEPENDENCY_NOT_VALID",
    8,
    15,
  ],
  ["an unknown dependency type", "SOFT", "MILD", "RECIPE_PARSE_ERROR", 9, 62],
  ["an artifact without a scheme", "s3://bucket/key/file.zip", "file.zip", "EMPTY_ARTIFACT_SCHEME", 13, 14],
  ["an artifact without a URI", "s3://bucket/key/file.zip", '""', "EMPTY_ARTIFACT_URI", 13, 14],
  ["an artifact on the web", "s3://bucket", "https://bucket", "UNSUPPORTED_ARTIFACT_SCHEME", 13, 14],
  ["an artifact without a key", "s3://bucket/key/file.zip", "s3://bucket", "ARTIFACT_URI_NOT_VALID", 13, 14],
  ["a platform expression that is none", "os: linux", "os: /linux(/", "RECIPE_PARSE_ERROR", 11, 21],
])(
  "%s is refused where it stands [core-device-12.2] [core-device-12.12]",
  (_, from, to, code, line, column) => {
    const { code: found, line: atLine, column: atColumn } = refusal(whole.replace(from, to));
    expect([found, atLine, atColumn]).toEqual([code, line, column]);
  },
);

test("a recipe without manifests is refused by that name [core-device-12.2]", () => {
  expect(refusal(whole.replace(/Manifests:[^]*/, "")).code).toBe("RECIPE_MISSING_MANIFEST");
  expect(refusal(whole.replace(/Manifests:[^]*/, "Manifests: []")).code).toBe("RECIPE_MISSING_MANIFEST");
});

test("text that is not YAML is refused with line and column", () => {
  const failure = refusal(whole.replace("{ os: linux }", "{ os: linux"));
  expect([failure.code, failure.line]).toEqual(["RECIPE_PARSE_ERROR", 12]);
});

test.each([
  ["nothing", ""],
  ["a list", "- a"],
  ["a value that JSON cannot hold", whole.replace("Rate: 5", "Rate: .nan")],
  ["nesting without end", "[".repeat(15_000)],
  ["an alias to nothing", "a: *b"],
])("%s is refused", (_, text) => {
  expect(refusal(text).code).toBe("RECIPE_PARSE_ERROR");
});

test("aliases that would unfold to millions of values are refused at once [core-device-12.15]", () => {
  const levels = Array.from({ length: 9 }, (_, level) => {
    const below = level === 0 ? "x" : `*l${level - 1}`;
    return `l${level}: &l${level} [${Array.from({ length: 10 }, () => below).join(", ")}]`;
  });
  const started = performance.now();
  expect(refusal(levels.join("\n")).rule).toMatch(/alias/i);
  expect(performance.now() - started).toBeLessThan(1000);
});

test("a key that names a prototype stays a key", () => {
  const recipe = parseRecipe(whole.replace("Rate: 5", "__proto__: { polluted: true }"), "plant.yaml");
  expect(Object.hasOwn(recipe.configuration, "polluted")).toBe(false);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

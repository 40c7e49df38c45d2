import { expect, test } from "vitest";
import { parseRecipe, parseSubmittedRecipe, RECIPE_BYTES_MAX, recipeDocument } from "./index.ts";

const text = (artifact: object = {}, description = "") =>
  JSON.stringify({
    RecipeFormatVersion: "2020-01-25",
    ComponentName: "a",
    ComponentVersion: "1.0.0",
    ComponentDescription: description,
    ComponentDependencies: { b: { VersionRequirement: "^1.0.0", DependencyType: "SOFT" } },
    Manifests: [
      {
        Name: "m",
        Platform: { os: "linux" },
        Artifacts: [{ Uri: "s3://b/k", ...artifact }],
        Selections: ["x"],
      },
    ],
    Lifecycle: { Run: { x: "run" } },
  });

test("a recipe may have exactly as many bytes as the cloud takes, counted in UTF-8 [core-device-12.14]", () => {
  const room = RECIPE_BYTES_MAX - new TextEncoder().encode(text()).length;
  const umlauts = "ü".repeat(Math.floor(room / 2)) + "u".repeat(room % 2);
  expect(parseSubmittedRecipe(text({}, umlauts), "a.json").description).toBe(umlauts);
  expect(() => parseSubmittedRecipe(text({}, `${umlauts}u`), "a.json")).toThrow(
    /RECIPE_TOO_LARGE: .* 16001 bytes and may have 16000/,
  );
});

test("an author may not write the digest, the cloud may [core-device-12.14]", () => {
  const digested = text({ Digest: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", Algorithm: "SHA-256" });
  expect(() => parseSubmittedRecipe(digested, "a.json")).toThrow(/RECIPE_NAMES_A_DIGEST/);
  expect(parseRecipe(digested, "a.json").manifests[0]?.artifacts[0]?.algorithm).toBe("SHA-256");
});

test("a recipe written as a document is read back the same", () => {
  const recipe = parseRecipe(
    text({ Permission: { Read: "ALL" }, Unarchive: "ZIP", Digest: "x", Algorithm: "SHA-256" }),
    "a.json",
  );
  expect(parseRecipe(JSON.stringify(recipeDocument(recipe)), "b.json")).toEqual(recipe);
});

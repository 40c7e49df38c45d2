import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runCommand } from "../command.fixture.ts";
import { places } from "../system/state.ts";
import { addComponentCommands } from "./commands.ts";

const folder = mkdtempSync(join(tmpdir(), "component-check-"));
afterAll(() => rmSync(folder, { recursive: true }));

const run = (...words: string[]) =>
  runCommand((program) => addComponentCommands(program, places(folder, {})), "component", "check", ...words);
const recipe = (version: string) => `RecipeFormatVersion: "2020-01-25"
ComponentName: plant.Reader
ComponentVersion: ${version}
Manifests:
  - Lifecycle: { Run: echo }
`;

test("recipes of a folder are checked as a device and the cloud check them, and the first fault of each is told with its place", async () => {
  mkdirSync(join(folder, "deep"));
  const good = join(folder, "good.yaml");
  const bad = join(folder, "deep/bad.yaml");
  writeFileSync(good, recipe("1.0.0"));
  writeFileSync(bad, recipe("one"));
  writeFileSync(join(folder, "released.json"), "{}");
  const one = await run(good);
  expect(one).toMatchObject({ code: 0, out: "1 recipe is fine." });
  const both = await run(folder);
  expect(both.code).toBe(2);
  expect(both.out).toContain(
    `COMPONENT_VERSION_NOT_VALID: ${bad}:3:19: ComponentVersion must be a semantic version`,
  );
  expect(both.out).toContain("1 of 2 recipes cannot be used.");
  const json = await run(folder, "--json");
  expect(JSON.parse(json.out)).toMatchObject({
    recipes: [
      { file: bad, faults: [{ code: "COMPONENT_VERSION_NOT_VALID", line: 3, column: 19 }] },
      { file: good, faults: [] },
    ],
  });
});

test("a folder without a recipe is an error that says what to name", async () => {
  const empty = join(folder, "empty");
  mkdirSync(empty);
  const { code, err } = await run(empty);
  expect(code).toBe(2);
  expect(err).toContain("holds no recipe");
});

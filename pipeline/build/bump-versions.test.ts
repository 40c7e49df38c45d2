import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { buildAll } from "./build.ts";
import { bumpVersions } from "./bump-versions.ts";
import { fixtureCheckout } from "./fixture-checkout.ts";
import { type Platform, platforms } from "./platform.ts";

/** One life of a component in its order: each test goes on where the one before it stopped. */
const name = "coalmine.test.Fixture";
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
let fixture: ReturnType<typeof fixtureCheckout>;
beforeAll(() => {
  fixture = fixtureCheckout(
    {
      "component.ts": `import { PORTS_VERSION } from "@coalmine/ports";\nexport const portsVersion = PORTS_VERSION;\nexport async function start(): Promise<void> {}\n`,
      "config.ts": `import * as z from "zod";\nexport const Config = z.object({});\n`,
      "main.ts": `import { start } from "./component.ts";\nawait start();\n`,
    },
    "shared",
  );
});
afterAll(() => fixture.dispose());

const at = (file: string) => join(fixture.root, file);
const read = (file: string) => readFileSync(at(file), "utf8");
const source = "components/fixture/src/component.ts";
const recipe = `recipes/${name}.yaml`;
const list = "recipes/released.json";
const options = () => ({ root: fixture.root, platforms, cacheFolder: at(".coalmine/cache"), only: [name] });
const bump = () => bumpVersions(options());
const build = (some: readonly Platform[] = platforms) =>
  buildAll({ ...options(), platforms: some, allowUnreleased: false });

test("a version that was never released is not built, and the refusal names npm run bump", async () => {
  await expect(build()).rejects.toThrow(/coalmine\.test\.Fixture 1\.0\.0 is not in the list.*npm run bump/);
});

test("the first bump takes the version as it is, and then the build goes through", async () => {
  expect((await bump()).bumped).toEqual([
    { component: name, from: "1.0.0", to: "1.0.0", because: ["new version"] },
  ]);
  const manifest = await build();
  expect(manifest.components.map(({ version, released }) => [version, released])).toEqual([["1.0.0", true]]);
});

test("nothing changed, nothing raised; a comment in a recipe changes nothing", async () => {
  appendFileSync(at(recipe), "# a comment\n");
  const before = read(list);
  expect(await bump()).toEqual({ bumped: [], files: [] });
  expect(read(list)).toBe(before);
});

test("changed bytes under a released version are refused, for each platform that has them", async () => {
  appendFileSync(at(source), `export const more = "more";\n`);
  await expect(build()).rejects.toThrow(
    /ERR_NOT_RELEASED: coalmine\.test\.Fixture 1\.0\.0 has another artifact for linux-x64, another artifact for linux-arm64 .*npm run bump/,
  );
  await expect(build(["linux-arm64"])).rejects.toThrow(/has another artifact for linux-arm64 \(/);
});

test("bump raises the patch where the version stands, and appends without touching what was there", async () => {
  const before = read(list).trimEnd().split("\n").slice(0, -1);
  const { bumped, files } = await bump();
  expect(bumped.map(({ to }) => to)).toEqual(["1.0.1"]);
  expect(files).toEqual(["components/fixture/package.json", list]);
  expect(JSON.parse(read("components/fixture/package.json"))).toMatchObject({ version: "1.0.1" });
  const after = read(list).trimEnd().split("\n");
  expect(after.slice(0, before.length).join("\n")).toBe(`${before.join("\n")},`);
  expect(after.length).toBe(before.length + 2);
  expect((await build()).components[0]?.version).toBe("1.0.1");
  expect((await bump()).bumped).toEqual([]);
});

test("a changed recipe is raised for that alone", async () => {
  writeFileSync(at(recipe), read(recipe).replace("<25.0.0", "<26.0.0"));
  expect((await bump()).bumped).toEqual([
    { component: name, from: "1.0.1", to: "1.0.2", because: ["recipe"] },
  ]);
});

test("the version in the lockfile follows", async () => {
  const lock = `{\n  "packages": {\n    "components/fixture": {\n      "name": "fixture",\n      "version": "1.0.2",\n      "license": "x"\n    },\n    "components/other": {\n      "version": "1.0.2"\n    }\n  }\n}\n`;
  const original = read("package-lock.json");
  writeFileSync(
    at("package-lock.json"),
    original.replace(
      '    "components/inference": {',
      `${lock.split("\n").slice(2, 7).join("\n")}\n    "components/inference": {`,
    ),
  );
  appendFileSync(at(source), `export const evenMore = 1;\n`);
  expect((await bump()).files).toContain("package-lock.json");
  const packages = (
    JSON.parse(read("package-lock.json")) as { packages: Record<string, { version: string }> }
  ).packages;
  expect(packages["components/fixture"]?.version).toBe("1.0.3");
  expect(packages["components/inference"]?.version).toBe(
    (JSON.parse(original) as typeof JSON & { packages: typeof packages }).packages["components/inference"]
      ?.version,
  );
});

test("two branches that took the same number are told to keep main's lines and bump again", async () => {
  const mine = read(list);
  const lines = mine.trimEnd().split("\n");
  const last = lines.at(-2) ?? "";
  writeFileSync(at(list), [...lines.slice(0, -2), `${last},`, last, "]", ""].join("\n"));
  await expect(bump()).rejects.toThrow(/1\.0\.3 twice.*keep the lines of main.*npm run bump again/);
  writeFileSync(at(list), `<<<<<<< HEAD\n${mine}=======\n${mine}>>>>>>> branch\n`);
  await expect(bump()).rejects.toThrow(/conflict marks; keep the lines of main/);
  // Main's line for the number that this branch also took, with main's bytes.
  const ofMain = last.replace(/("linux-x64":")[0-9a-f]{64}/, `$1${"0".repeat(64)}`);
  writeFileSync(at(list), [...lines.slice(0, -2), ofMain, "]", ""].join("\n"));
  expect((await bump()).bumped.map(({ from, to }) => [from, to])).toEqual([["1.0.3", "1.0.4"]]);
});

test("a model keeps its bytes when its version is raised, and is refused when its file is not the manifest's", async () => {
  const model = { ...options(), only: ["coalmine.model.BloodViscosity"] };
  const manifest = "models/blood-viscosity/manifest.json";
  const build = () => buildAll({ ...model, allowUnreleased: true });
  const before = (await build()).components[0];
  writeFileSync(at(manifest), read(manifest).replace(/"version": "\d+\.\d+\.\d+"/, '"version": "7.0.0"'));
  const after = (await build()).components[0];
  expect(after?.version).toBe("7.0.0");
  expect(after?.artifacts).toEqual(before?.artifacts);
  appendFileSync(at("models/blood-viscosity/model.onnx"), "x");
  await expect(build()).rejects.toThrow(/ERR_BUILD_SOURCE: .*its manifest says/);
});

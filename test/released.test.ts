import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { BuildManifest } from "../pipeline/build/build-manifest.ts";
import { setup as buildArtifacts } from "./artifacts-setup.ts";

beforeAll(buildArtifacts);

test("this checkout builds what recipes/released.json says of its versions; else run npm run bump", async () => {
  const file = join(dirname(import.meta.dirname), "dist", "build.json");
  const { components } = BuildManifest.parse(JSON.parse(await readFile(file, "utf8")));
  expect(components.length).toBeGreaterThanOrEqual(6);
  const other = components.filter(({ released }) => !released);
  expect(other.map(({ component, version }) => `${component} ${version}`)).toEqual([]);
});

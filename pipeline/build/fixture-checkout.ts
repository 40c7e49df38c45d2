import { execFileSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout that the tests run in. */
export const checkout = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Most of the files that are installed, and none that the fixture or its build imports. */
const notNeeded = new Set(["aws-cdk-lib", "@aws-sdk", "@smithy", "knip", "cdk-nag", "@peculiar", "@babel"]);

function linkModules(root: string): void {
  const installed = join(checkout, "node_modules");
  mkdirSync(join(root, "node_modules"));
  const needed = readdirSync(installed).filter(
    (name) => !notNeeded.has(name) && !name.startsWith("node-linux-"),
  );
  execFileSync("cp", ["-al", ...needed.map((name) => join(installed, name)), join(root, "node_modules")]);
}

/**
 * For tests: a second checkout inside this one's ignored folder, with the real packages, one component of its own
 * (`coalmine.test.Fixture`, whose recipe is sensor-reader's under another name) and the real model.
 * `installed: "own"` gives it its own `node_modules`, hard-linked, as a clone has; "shared" is quicker.
 */
export function fixtureCheckout(
  sources: Readonly<Record<"component.ts" | "config.ts" | "main.ts", string>> &
    Readonly<Record<string, string>>,
  installed: "own" | "shared",
): { root: string; dispose: () => void } {
  const parent = join(checkout, ".coalmine/test-checkouts");
  mkdirSync(parent, { recursive: true });
  const root = mkdtempSync(join(parent, "checkout-"));
  if (installed === "own") linkModules(root);
  else symlinkSync(join(checkout, "node_modules"), join(root, "node_modules"));
  for (const part of ["packages", "pipeline", "models", "package.json", "package-lock.json"])
    cpSync(join(checkout, part), join(root, part), { recursive: true });

  const recipe = readFileSync(join(checkout, "recipes/coalmine.SensorReader.yaml"), "utf8")
    .replaceAll("coalmine.SensorReader", "coalmine.test.Fixture")
    .replaceAll("sensor-reader", "fixture");
  const files: Record<string, string> = {
    "recipes/released.json": "[]\n",
    "recipes/node-runtime.json": '{ "packaging": 0 }\n',
    "recipes/coalmine.test.Fixture.yaml": recipe,
    "components/fixture/package.json": `{\n  "name": "fixture",\n  "version": "1.0.0",\n  "type": "module",\n  "coalmine": { "component": "coalmine.test.Fixture" }\n}\n`,
  };
  for (const [name, source] of Object.entries(sources)) files[`components/fixture/src/${name}`] = source;
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  cpSync(
    join(checkout, "recipes/coalmine.model.BloodViscosity.yaml"),
    join(root, "recipes/coalmine.model.BloodViscosity.yaml"),
  );
  return { root, dispose: () => rmSync(root, { recursive: true, force: true }) };
}

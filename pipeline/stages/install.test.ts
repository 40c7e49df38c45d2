import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { install, installKey, keep } from "./install.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "coalmine-install-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const lockfile = (version: string, leftPad: string) =>
  JSON.stringify({
    packages: {
      "": { name: "x" },
      "packages/contract": { version },
      "node_modules/@x/contract": { resolved: "packages/contract", link: true },
      "node_modules/left-pad": { version: leftPad },
    },
  });

function checkout(name: string, version: string, leftPad = "1.0.0"): string {
  const folder = join(root, name);
  mkdirSync(join(folder, "packages/contract"), { recursive: true });
  writeFileSync(join(folder, "package-lock.json"), lockfile(version, leftPad));
  writeFileSync(join(folder, "packages/contract/source.ts"), `of ${name}`);
  return folder;
}

test("a bump of our own version does not change what is installed; another package's does", () => {
  expect(installKey(lockfile("1.0.0", "1.0.0"))).toBe(installKey(lockfile("1.0.1", "1.0.0")));
  expect(installKey(lockfile("1.0.0", "1.0.0"))).not.toBe(installKey(lockfile("1.0.0", "1.0.1")));
});

test("a checkout gets hard links of the cached set, and its workspace links lead to its own sources", () => {
  const first = checkout("first", "1.0.0");
  mkdirSync(join(first, "node_modules/left-pad"), { recursive: true });
  mkdirSync(join(first, "node_modules/@x"));
  writeFileSync(join(first, "node_modules/left-pad/index.js"), "pad");
  symlinkSync("../../packages/contract", join(first, "node_modules/@x/contract"));
  const cache = join(root, "cache");
  keep(first, cache);
  const second = checkout("second", "1.0.1");
  expect(install(second, cache)).toMatch(/^packages linked from the cache/);
  expect(statSync(join(second, "node_modules/left-pad/index.js")).ino).toBe(
    statSync(join(first, "node_modules/left-pad/index.js")).ino,
  );
  // A change of a workspace package must be what the second checkout builds.
  expect(readFileSync(join(second, "node_modules/@x/contract/source.ts"), "utf8")).toBe("of second");
});

test("a set that was cut off half-way is never used", () => {
  const cache = join(root, "cache");
  const folder = checkout("first", "1.0.0");
  const key = installKey(readFileSync(join(folder, "package-lock.json"), "utf8"));
  mkdirSync(join(cache, "node_modules", `${key}.123`, "node_modules"), { recursive: true });
  mkdirSync(join(folder, "node_modules/left-pad"), { recursive: true });
  keep(folder, cache);
  expect(existsSync(join(cache, "node_modules", key, "node_modules/left-pad"))).toBe(true);
});

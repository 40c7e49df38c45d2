import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { coreDeviceProgram } from "./core-device-program.ts";
import { checkout } from "./fixture-checkout.ts";

let root: string;
let cache: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "program-"));
  cache = join(root, "cache");
  symlinkSync(join(checkout, "node_modules"), join(root, "node_modules"));
  for (const file of ["package-lock.json", "pipeline/build/bundle.ts"])
    cpSync(join(checkout, file), join(root, file));
  write("packages/one/name.ts", `export const name = "one";`);
  write(
    "simulator/core-device/main.ts",
    `import * as mqtt5 from "aws-crt/dist/native/mqtt5.js";
import { name } from "../../packages/one/name.ts";
console.log(name, typeof mqtt5.Mqtt5Client, (await import("./later.ts")).later);`,
  );
  write("simulator/core-device/later.ts", `export const later = "read when needed";`);
});
afterEach(() => rmSync(root, { recursive: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

const kept = (): string[] => readdirSync(join(cache, "core-devices"));
const run = (program: string): string =>
  execFileSync(process.execPath, [program], { encoding: "utf8", cwd: "/", env: {} });

test("the core device's bundle runs by itself, with its native library beside it and nothing said about it", async () => {
  const program = await coreDeviceProgram(root, cache);
  rmSync(join(root, "node_modules"));
  expect(run(program)).toBe("one function read when needed\n");
  expect(readdirSync(dirname(program))).toContain("aws-crt-nodejs.node");
});

test("it is made once, also when many ask at once, and anew when a source of it or what is installed differs", async () => {
  const asked = await Promise.all([1, 2, 3].map(() => coreDeviceProgram(root, cache)));
  expect(new Set(asked).size).toBe(1);
  expect(kept()).toHaveLength(1);
  write("packages/one/name.test.ts", "");
  expect(await coreDeviceProgram(root, cache)).toBe(asked[0]);
  write("packages/one/name.ts", `export const name = "two";`);
  const other = await coreDeviceProgram(root, cache);
  expect(run(other)).toBe("two function read when needed\n");
  write("package-lock.json", "{}");
  await coreDeviceProgram(root, cache);
  expect(kept()).toHaveLength(3);
});

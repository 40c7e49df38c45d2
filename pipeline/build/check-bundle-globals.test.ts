import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PORTS_VERSION } from "@coalmine/ports";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkBundleGlobals } from "./check-bundle-globals.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "globals-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
function bundle(
  body: string,
  rest = `export const portsVersion = ${PORTS_VERSION}; export async function start() {}`,
) {
  const file = join(folder, `component-${count++}.mjs`);
  writeFileSync(file, `${body}\n${rest}\n`);
  return checkBundleGlobals(file);
}

test("the language, text coding, abort signals, URLs and dates made of a number are there", async () => {
  await bundle(`
    new TextEncoder().encode("x"); new TextDecoder(); new AbortController().signal; new URL("a:b");
    if (!(new Date(5) instanceof Date) || new Date(5).getTime() !== 5) throw new Error("dates");
    if (Date.UTC(2026, 0, 1) !== 1767225600000) throw new Error("UTC");
    new Map(); BigInt(1); structured(); function structured() { return Array.fromAsync; }`);
});

test.each([
  ["setTimeout(() => {}, 0)", /setTimeout is not defined/],
  ["queueMicrotask(() => {})", /queueMicrotask is not defined/],
  ["console.log('x')", /console is not defined/],
  ["process.exit(0)", /process is not defined/],
  ["Buffer.alloc(1)", /Buffer is not defined/],
  ["fetch('http://localhost')", /fetch is not defined/],
  ["crypto.randomUUID()", /crypto is not defined/],
  ["performance.now()", /performance is not defined/],
  ["structuredClone({})", /structuredClone is not defined/],
  ["WebAssembly.compile", /WebAssembly is not defined/],
  ["Date.now()", /Date\.now was called/],
  ["new Date()", /new Date\(\) was called/],
  ["Date()", /Date\(\) was called/],
  ["Math.random()", /Math\.random was called/],
])("%s at import is refused", async (body, sentence) => {
  await expect(bundle(body)).rejects.toThrow(sentence);
  await expect(bundle(body)).rejects.toThrow(/^ERR_BUNDLE_NOT_PORTABLE: /);
});

test("a bundle without start, or with the ports of another build, is refused", async () => {
  await expect(bundle("", `export const portsVersion = ${PORTS_VERSION};`)).rejects.toThrow(
    /exports start as undefined/,
  );
  await expect(bundle("", "export const portsVersion = 999; export function start() {}")).rejects.toThrow(
    /portsVersion 999/,
  );
});

import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { withoutGit } from "@coalmine/runtime/without-git";
import { afterEach, beforeEach, expect, test } from "vitest";
import { pathsNamed } from "./reached.ts";
import { touchedTypes } from "./touched-types.ts";
import { typeChecks } from "./type-checks.ts";

/** A small checkout with this one's settings of the compiler, and the compiler itself. */
const root = dirname(dirname(import.meta.dirname));
const projects = [
  "tsconfig.json",
  "tsconfig.component.json",
  "commissioning/page/client/tsconfig.json",
  "console/tsconfig.json",
];
const isLong = process.env["COALMINE_LONG"] === "1";
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "coalmine-types-"));
  for (const project of projects) cpSync(join(root, project), join(folder, project), { recursive: true });
  mkdirSync(join(folder, "node_modules/@coalmine"), { recursive: true });
  for (const name of [".bin", "typescript", "@typescript", "@types"])
    symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
  symlinkSync("../../packages/contract", join(folder, "node_modules/@coalmine/contract"));
  commit({
    ".gitignore": "node_modules",
    "package-lock.json": lockfile("1.0.0", "4.0.0"),
    "components/reader/package.json": '{ "name": "@coalmine/reader", "version": "1.0.0", "type": "module" }',
    "packages/contract/package.json":
      '{ "name": "@coalmine/contract", "type": "module", "exports": { ".": "./src/index.ts" } }',
    "packages/contract/src/index.ts": 'export * from "./reading.ts";',
    "packages/contract/src/reading.ts": "export interface Reading { readonly valueKelvin: number }",
    "components/reader/src/component.ts":
      'import type { Reading } from "@coalmine/contract"; export const read = (one: Reading): number => one.valueKelvin;',
    "cli/package.json": '{ "type": "module" }',
    "cli/say.ts":
      'export const say = (one: import("@coalmine/contract").Reading): string => one.valueKelvin.toFixed();',
    "cli/main.ts": 'import { say } from "./say.ts"; export const word: string = say({ valueKelvin: 1 });',
    "cli/other.ts": 'import { given } from "given"; export const other: number = given;',
    "cli/given.d.ts": 'declare module "given" { export const given: number; }',
    // Nobody may see it: nothing that a push does here reaches this file.
    "cli/unreached.ts": 'export const unreached: number = "broken before, and in nobody\'s way";',
  });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const lockfile = (ours: string, theirs: string): string =>
  JSON.stringify({
    packages: { "components/reader": { version: ours }, "node_modules/zod": { version: theirs } },
  });

function commit(files: Readonly<Record<string, string | undefined>>): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    if (text === undefined) rmSync(join(folder, file));
    else writeFileSync(join(folder, file), `${text}\n`);
  }
  const git = (...words: string[]) =>
    execFileSync("git", words, { cwd: folder, env: withoutGit(process.env) });
  git("init", "--quiet");
  git("add", "--all");
  git("-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "--message", "one");
}

/** The projects in which the compiler finds an error after a push on top of the first commit. */
function brokenBy(files: Readonly<Record<string, string | undefined>>): string[] {
  commit(files);
  const checks = typeChecks(folder, touchedTypes(folder, "HEAD~1"));
  const failed = checks.steps.filter(({ command: [program = "", ...words] }) => {
    const { status } = spawnSync(program, words, { cwd: folder });
    expect([0, 1, 2]).toContain(status);
    return status !== 0;
  });
  checks.remove();
  expect(globSync("**/touched.*", { cwd: folder })).toEqual([]);
  return failed.map(({ name }) => name.replace(/^types of (\S+).*$/, "$1")).sort();
}

test("an error in a changed file is found, by a compiler that sees nothing else", () => {
  expect(brokenBy({ "cli/say.ts": 'export const say = (): number => "one";' })).toEqual(["tsconfig.json"]);
});

test("an error that a change makes in files which did not change is found, in each project that sees them", () => {
  const renamed = "export interface Reading { readonly valueCelsius: number }";
  expect(brokenBy({ "packages/contract/src/reading.ts": renamed })).toEqual([
    "tsconfig.component.json",
    "tsconfig.json",
  ]);
});

test("a file that goes away breaks who imports it", () => {
  expect(brokenBy({ "cli/say.ts": undefined })).toEqual(["tsconfig.json"]);
});

test("what a portable component may not use is found where it is imported", () => {
  const text =
    "export interface Reading { readonly valueKelvin: number } export const at = process.hrtime();";
  expect(brokenBy({ "packages/contract/src/reading.ts": text })).toEqual(["tsconfig.component.json"]);
});

test("a change that breaks nothing passes, with what holds for all beside it", () => {
  expect(
    brokenBy({ "cli/other.ts": 'import { given } from "given"; export const other = 1 + given;' }),
  ).toEqual([]);
});

test("where something holds for all, all is looked at", () => {
  const all = projects.map((project) => ({ project, files: "all" }));
  expect(touchedTypes(folder, undefined)).toEqual(all);
  const whole: Record<string, string | undefined>[] = [
    { "cli/given.d.ts": undefined },
    { "cli/words.ts": "declare global { var word: string; } export {};" },
    { "cli/words.ts": "export {};" },
    { "package-lock.json": lockfile("1.0.0", "4.0.1") },
    { "components/reader/package.json": '{ "name": "@coalmine/reader", "version": "1.0.0" }' },
    { "console/tsconfig.json": readFileSync(join(folder, "console/tsconfig.json"), "utf8") },
  ];
  for (const files of whole) {
    commit(files);
    expect(touchedTypes(folder, "HEAD~1"), JSON.stringify(files)).toEqual(all);
  }
});

test("a bump reaches nobody", () => {
  commit({
    "package-lock.json": lockfile("1.0.1", "4.0.0"),
    "components/reader/package.json": '{ "name": "@coalmine/reader", "version": "1.0.1", "type": "module" }',
    "recipes/released.json": "[]",
  });
  expect(touchedTypes(folder, "HEAD~1")).toEqual([]);
});

test.each(isLong ? projects : ["tsconfig.component.json"])(
  "each import that the compiler follows between sources of %s is one that we see",
  (project) => {
    const said = execFileSync(
      process.execPath,
      ["node_modules/.bin/tsc", "--noEmit", "--noCheck", "--explainFiles", "-p", project],
      {
        cwd: root,
        encoding: "utf8",
        maxBuffer: 64 * 1024 ** 2,
      },
    );
    let source = "";
    const imports: { from: string; to: string }[] = [];
    for (const line of said.split("\n")) {
      const from = /^ +Imported via .* from file '([^']+)'/.exec(line)?.[1];
      if (!line.startsWith(" ")) source = line;
      else if (from !== undefined) imports.push({ from, to: source });
    }
    const ours = imports.filter(({ from, to }) => !`${from}:${to}`.includes("node_modules/"));
    expect(ours.length).toBeGreaterThan(0);
    const unseen = ours.filter(
      ({ from, to }) => !pathsNamed(from, readFileSync(join(root, from), "utf8")).includes(to),
    );
    expect(unseen).toEqual([]);
  },
  600_000,
);

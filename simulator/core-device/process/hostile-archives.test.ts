import { mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { zipSync, type Zippable } from "fflate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fuzzed } from "../../../test/fuzzed.ts";
import { NodeRoot } from "./node-root.ts";

const MIB = 1024 * 1024;
const ZIP = "packages/artifacts/A/1.0.0/a.zip";
const FOLDER = "packages/artifacts-unarchived/A/1.0.0/a";
const permission = { read: "OWNER", execute: "NONE" } as const;
/** As Unix ZIPs say of an entry that it is a link: in the upper half of its attributes. */
const LINK = { os: 3, attrs: 0o120777 << 16 } as const;

let around: string;
let root: NodeRoot;
beforeAll(async () => {
  around = await mkdtemp(join(tmpdir(), "coalmine-archives-"));
  await mkdir(join(around, "device"));
  root = new NodeRoot(join(around, "device"));
});
afterAll(() => rm(around, { recursive: true }));

async function extracted(entries: Zippable, bytesMax = MIB): Promise<void> {
  await root.writeArtifact(ZIP, zipSync(entries), permission);
  await root.unarchive(ZIP, FOLDER, permission, bytesMax);
}
const text = (value: string) => new TextEncoder().encode(value);

test("a link in an archive is a file with the link's text, so nothing is written through it [core-device-3.4]", async () => {
  await extracted({ out: [text("../../../../../.."), LINK] });
  expect((await stat(join(root.path, FOLDER, "out"))).isFile()).toBe(true);
  await expect(
    extracted({ out: [text("../../../../../.."), LINK], "out/evil": text("x") }),
  ).rejects.toThrow();
  expect(await readdir(around)).toEqual(["device"]);
});

test("a bomb leaves nothing on the disk, and what was extracted before stays [core-device-3.10]", async () => {
  await extracted({ "good.txt": text("good") });
  await expect(extracted({ "a.bin": new Uint8Array(8 * MIB) })).rejects.toThrow(/room/);
  expect(await readdir(join(root.path, FOLDER))).toEqual(["good.txt"]);
  expect(await readdir(join(root.path, FOLDER, ".."))).toEqual(["a"]);
});

test("however an archive's entries are called, nothing is written beside its folder [core-device-3.4]", async () => {
  const part = fc.constantFrom(
    "..",
    ".",
    "",
    "a",
    "b",
    "C:",
    "\\",
    "..\\",
    "é",
    "\0",
    "a".repeat(300),
    "...",
  );
  const name = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));
  const content = fc.tuple(fc.constantFrom("x", "..", "/tmp"), fc.boolean());
  const archive = fc.dictionary(name, content, { minKeys: 1, maxKeys: 4, noNullPrototype: true });
  const before = await files(around);
  await fuzzed(
    fc.asyncProperty(archive, async (entries) => {
      const zippable = Object.entries(entries).map(([called, [inside, isLink]]) => [
        called,
        isLink ? [text(inside), LINK] : text(inside),
      ]);
      await extracted(Object.fromEntries(zippable) as Zippable).catch((failure: unknown) =>
        expect(failure).toBeInstanceOf(Error),
      );
      const beside = (await files(around)).filter((path) => !path.startsWith(`device/${FOLDER}/`));
      expect(beside).toEqual(before.filter((path) => !path.startsWith(`device/${FOLDER}/`)));
    }),
  );
});

async function files(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
}

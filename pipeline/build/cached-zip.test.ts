import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cachedZip } from "./cached-zip.ts";
import { zip, type ZipEntry } from "./zip.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "zips-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const kept = () => readdirSync(join(folder, "zips"));
const entries: ZipEntry[] = [{ name: "a", bytes: new Uint8Array(100_000).fill(7) }];

test("the zip is the same made or found, and found whatever order its entries have", async () => {
  const two = [...entries, { name: "b", bytes: new Uint8Array(3) }];
  expect(await cachedZip(two, folder)).toEqual(await zip(two));
  expect(kept()).toHaveLength(1);
  expect(new Uint8Array(await cachedZip(two.toReversed(), folder))).toEqual(await zip(two));
  expect(kept()).toHaveLength(1);
});

test("entries that differ in name, bytes or mode have zips of their own", async () => {
  const before = kept().length;
  const [entry] = entries;
  if (entry === undefined) throw new Error("no entry");
  await cachedZip([entry], folder);
  await cachedZip([{ ...entry, name: "c" }], folder);
  await cachedZip([{ ...entry, bytes: new Uint8Array(100_000).fill(8) }], folder);
  await cachedZip([{ ...entry, executable: true }], folder);
  expect(kept()).toHaveLength(before + 4);
});

test("a damaged zip is made again", async () => {
  await cachedZip(entries, folder);
  for (const name of kept())
    writeFileSync(join(folder, "zips", name), readFileSync(join(folder, "zips", name)).subarray(1));
  expect(new Uint8Array(await cachedZip(entries, folder))).toEqual(await zip(entries));
});

test("the cache does not grow without end, and what is used stays in it", async () => {
  await cachedZip(entries, folder);
  const zipped = await zip(entries);
  const used = kept().find((name) => readFileSync(join(folder, "zips", name)).equals(zipped));
  for (let index = 0; index < 70; index++) {
    await cachedZip([{ name: `n${index}`, bytes: new Uint8Array(1) }], folder);
    if (index % 20 === 0) await cachedZip(entries, folder);
  }
  expect(kept()).toContain(used);
  expect(kept().length).toBeLessThanOrEqual(60);
});

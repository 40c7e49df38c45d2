import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { keepNewest, markUsed } from "./cache-entries.ts";
import { sha256 } from "./digest.ts";
import { zip, type ZipEntry } from "./zip.ts";

/** Raised when `zip` gives other bytes for the same entries. */
const FORMAT = 4;
/** Two platforms of everything, some versions deep; what was not used for longest goes first. */
const ZIPS_KEPT_MAX = 60;

/**
 * The zip of `entries`, from the cache where the same entries were zipped before: a deflate in JavaScript takes ten
 * seconds for Node. The name holds the hash of the entries and of the zip, which is checked.
 */
export async function cachedZip(entries: readonly ZipEntry[], cacheFolder: string): Promise<Uint8Array> {
  const folder = join(cacheFolder, "zips");
  await mkdir(folder, { recursive: true });
  const key = keyOf(entries);
  const found = (await readdir(folder)).find((name) => name.startsWith(`${key}-`));
  if (found !== undefined) {
    const bytes = await readFile(join(folder, found));
    if (found === `${key}-${sha256(bytes)}.zip`) {
      await markUsed(join(folder, found));
      return bytes;
    }
    await rm(join(folder, found), { force: true });
  }
  const bytes = await zip(entries);
  const writing = join(folder, `writing-${randomUUID()}`);
  await writeFile(writing, bytes);
  await rename(writing, join(folder, `${key}-${sha256(bytes)}.zip`));
  await keepNewest(folder, ZIPS_KEPT_MAX);
  return bytes;
}

function keyOf(entries: readonly ZipEntry[]): string {
  const hash = createHash("sha256").update(`${FORMAT}`);
  for (const { name, bytes, executable } of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1)))
    hash.update(JSON.stringify([name, executable === true, bytes.length])).update(bytes);
  return hash.digest("hex");
}

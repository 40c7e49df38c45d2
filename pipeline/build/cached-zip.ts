import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
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
  await prune(folder);
  return bytes;
}

function keyOf(entries: readonly ZipEntry[]): string {
  const hash = createHash("sha256").update(`${FORMAT}`);
  for (const { name, bytes, executable } of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1)))
    hash.update(JSON.stringify([name, executable === true, bytes.length])).update(bytes);
  return hash.digest("hex");
}

async function markUsed(file: string): Promise<void> {
  const seconds = (performance.timeOrigin + performance.now()) / 1000;
  await utimes(file, seconds, seconds);
}

async function prune(folder: string): Promise<void> {
  const names = await readdir(folder);
  if (names.length <= ZIPS_KEPT_MAX) return;
  const aged = await Promise.all(
    names.map(async (name) => ({
      name,
      // Another build may have pruned it already.
      usedMs: await stat(join(folder, name)).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    })),
  );
  for (const { name } of aged.sort((a, b) => b.usedMs - a.usedMs).slice(ZIPS_KEPT_MAX))
    await rm(join(folder, name), { force: true });
}

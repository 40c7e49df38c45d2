import { readdir, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";

/** Files or folders of a cache, whose time of change is when they were used last. */

export async function markUsed(entry: string): Promise<void> {
  const seconds = (performance.timeOrigin + performance.now()) / 1000;
  await utimes(entry, seconds, seconds);
}

/** Removes what was not used for longest. */
export async function keepNewest(folder: string, count: number): Promise<void> {
  const names = await readdir(folder);
  if (names.length <= count) return;
  const aged = await Promise.all(
    names.map(async (name) => ({
      name,
      // Another build may have removed it already.
      usedMs: await stat(join(folder, name)).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    })),
  );
  for (const { name } of aged.sort((a, b) => b.usedMs - a.usedMs).slice(count))
    await rm(join(folder, name), { recursive: true, force: true });
}

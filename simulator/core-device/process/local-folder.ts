import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { LocalFolder } from "../ports.ts";

/** Ours: more than any deployment brings, and less than a wrongly named `/` holds. */
const FILES_MAX = 10_000;

/** The regular files below a folder of this machine; links are passed over. */
export const readLocalFolder: LocalFolder = async (absolute) => {
  const files: { path: string; bytes: () => Promise<Uint8Array> }[] = [];
  const folders = [absolute];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop())
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const at = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(at);
      else if (entry.isFile()) files.push({ path: relative(absolute, at), bytes: () => readFile(at) });
      if (files.length + folders.length > FILES_MAX)
        throw new Error(`it holds more than ${FILES_MAX} files; name the folder of the recipes or artifacts`);
    }
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
};

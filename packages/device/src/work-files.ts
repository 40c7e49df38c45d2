import { constants } from "node:fs";
import { lstat, mkdir, open, readdir, rename, rmdir, stat, statfs, unlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Clock, Files } from "@coalmine/ports";
import { FileFailure, onFile } from "./file-error.ts";
import { foreignFolder } from "./foreign-folder.ts";
import { openFile, statusOf } from "./open-file.ts";

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_DIRECTORY } = constants;
const flags = {
  read: O_RDONLY,
  write: O_RDWR,
  create: O_RDWR | O_CREAT,
  exclusive: O_RDWR | O_CREAT | O_EXCL,
} as const;

/**
 * A component's work folder (the nucleus starts it there) on the device's disk. `sync` is fdatasync: the bytes and the
 * size, not the times; names are durable by `syncFolder`.
 */
export function workFiles(folder: string, clock: Clock): Files {
  const root = resolve(folder);
  const at = (path: string): string => {
    if (path.startsWith("/") || path.includes("\0") || path.split("/").includes(".."))
      throw new FileFailure("EINVAL", path, "not a relative path within the work folder");
    return join(root, path);
  };
  const named = (path: string): string => {
    const absolute = at(path);
    if (absolute === root) throw new FileFailure("EINVAL", path, "the work folder itself");
    return absolute;
  };
  return {
    open: (path, mode) =>
      onFile(path, "open", async () => {
        const absolute = named(path);
        // A folder opens for reading without a word, and fails only when it is read.
        if (mode === "read" && (await stat(absolute)).isDirectory())
          throw new FileFailure("EISDIR", path, "a folder");
        return openFile(await open(absolute, flags[mode]), path, mode === "read");
      }),
    makeFolder: (path) =>
      onFile(path, "make a folder of", async () => {
        await mkdir(named(path));
      }),
    list: (path) => onFile(path, "list", async () => (await readdir(at(path))).toSorted()),
    status: (path) => onFile(path, "look at", async () => statusOf(await stat(at(path), { bigint: true }))),
    rename: (from, to) => onFile(from, `rename to ${to}`, () => rename(named(from), named(to))),
    remove: (path) =>
      onFile(path, "remove", async () => {
        const absolute = named(path);
        if ((await lstat(absolute)).isDirectory()) await rmdir(absolute);
        else await unlink(absolute);
      }),
    syncFolder: (path) =>
      onFile(path, "sync", async () => {
        const handle = await open(at(path), O_RDONLY | O_DIRECTORY);
        try {
          await handle.sync();
        } finally {
          await handle.close();
        }
      }),
    freeBytes: () =>
      onFile("", "ask the free space of", async () => {
        const space = await statfs(root);
        return space.bavail * space.bsize;
      }),
    foreign: (path) => {
      if (!path.startsWith("/"))
        throw new FileFailure("EINVAL", path, "a foreign folder is named by its absolute path");
      return foreignFolder(path, clock);
    },
  };
}

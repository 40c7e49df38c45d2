import type { File, Files } from "@coalmine/ports";
import { inSteps } from "@coalmine/runtime";
import { HostedFileError } from "./file-error.ts";

export type DiskTrouble = "full" | "read-only";

const words = {
  full: ["ENOSPC", "the disk is full"],
  "read-only": ["EROFS", "the disk takes no more changes"],
} as const;

/** A work folder on a disk that may be in trouble: what was there can be read, a full disk still removes. */
export function troubledFiles(files: Files, trouble: () => DiskTrouble | undefined): Files {
  const refuse = (path: string, kinds: readonly DiskTrouble[] = ["full", "read-only"]): void => {
    const now = trouble();
    if (now === undefined || !kinds.includes(now)) return;
    const [code, what] = words[now];
    throw new HostedFileError(code, path, what);
  };
  const troubled = (file: File, path: string): File =>
    inSteps({
      read: (position, lengthBytes) => file.read(position, lengthBytes),
      write: async (position, bytes) => {
        refuse(path);
        return file.write(position, bytes);
      },
      truncate: async (sizeBytes) => {
        refuse(path, ["read-only"]);
        return file.truncate(sizeBytes);
      },
      sync: () => file.sync(),
      size: () => file.size(),
      close: () => file.close(),
    });
  return {
    ...files,
    open: async (path, mode) => {
      if (mode === "exclusive") refuse(path);
      if (mode === "write") refuse(path, ["read-only"]);
      if (mode === "create" && trouble() !== undefined) await files.status(path).catch(() => refuse(path));
      return troubled(await files.open(path, mode), path);
    },
    makeFolder: async (path) => {
      refuse(path);
      return files.makeFolder(path);
    },
    rename: async (from, to) => {
      refuse(from, ["read-only"]);
      return files.rename(from, to);
    },
    remove: async (path) => {
      refuse(path, ["read-only"]);
      return files.remove(path);
    },
    freeBytes: async () => (trouble() === undefined ? files.freeBytes() : 0),
  };
}

import type { FileHandle } from "node:fs/promises";
import type { File, FileStatus } from "@coalmine/ports";
import { onFile } from "./file-error.ts";

/** An open file as the ports have it; it follows the file, not its name. */
export function openFile(handle: FileHandle, path: string): File & { status(): Promise<FileStatus> } {
  return {
    read: (position, lengthBytes) =>
      onFile(path, "read", async () => {
        const bytes = new Uint8Array(lengthBytes);
        let filled = 0;
        while (filled < lengthBytes) {
          const { bytesRead } = await handle.read(bytes, filled, lengthBytes - filled, position + filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        return filled === lengthBytes ? bytes : bytes.slice(0, filled);
      }),
    write: (position, bytes) =>
      onFile(path, "write", async () => {
        let written = 0;
        while (written < bytes.length) {
          const { bytesWritten } = await handle.write(
            bytes,
            written,
            bytes.length - written,
            position + written,
          );
          written += bytesWritten;
        }
      }),
    truncate: (sizeBytes) => onFile(path, "truncate", () => handle.truncate(sizeBytes)),
    sync: () => onFile(path, "sync", () => handle.datasync()),
    size: () => onFile(path, "look at", async () => (await handle.stat()).size),
    status: () => onFile(path, "look at", async () => statusOf(await handle.stat({ bigint: true }))),
    close: () => onFile(path, "close", () => handle.close()),
  };
}

/** What the system tells of a file, as text where numbers would lose digits. */
export function statusOf(stats: {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeMs: bigint;
  isFile(): boolean;
  isDirectory(): boolean;
}): FileStatus {
  return {
    device: String(stats.dev),
    inode: String(stats.ino),
    kind: stats.isFile() ? "file" : stats.isDirectory() ? "folder" : "other",
    sizeBytes: Number(stats.size),
    modifiedMs: Number(stats.mtimeMs),
  };
}

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { File, FileStatus } from "@coalmine/ports";
import { FileFailure, onFile } from "./file-error.ts";

/** An open file as the ports have it; it follows the file, not its name. `isReadOnly` tells how `handle` was opened. */
export function openFile(
  handle: FileHandle,
  path: string,
  isReadOnly: boolean,
): File & { status(): Promise<FileStatus> } {
  let durable: Promise<FileHandle | undefined> | undefined;
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
    write: (position, bytes) => onFile(path, "write", () => writeAll(handle, position, bytes)),
    writeDurably: (position, bytes) =>
      onFile(path, "write durably", async () => {
        // Opened anew, a file that was opened for reading could be written.
        if (isReadOnly) throw new FileFailure("EACCES", path, "opened for reading");
        durable ??= openedDurably(handle);
        const through = await durable;
        await writeAll(through ?? handle, position, bytes);
        if (through === undefined) await handle.datasync();
      }),
    truncate: (sizeBytes) => onFile(path, "truncate", () => handle.truncate(sizeBytes)),
    sync: () => onFile(path, "sync", () => handle.datasync()),
    size: () => onFile(path, "look at", async () => (await handle.stat()).size),
    status: () => onFile(path, "look at", async () => statusOf(await handle.stat({ bigint: true }))),
    close: () =>
      onFile(path, "close", async () => {
        const through = await durable;
        await Promise.all([handle.close(), through?.close()]);
      }),
  };
}

async function writeAll(handle: FileHandle, position: number, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const left = bytes.length - written;
    const { bytesWritten } = await handle.write(bytes, written, left, position + written);
    written += bytesWritten;
  }
}

/**
 * The same file, whatever it is called by now, opened so that each write is durable as after an fdatasync: one trip to
 * another thread where a write and a sync are two. Undefined where the system shows no open files; then they are two.
 */
async function openedDurably({ fd }: FileHandle): Promise<FileHandle | undefined> {
  return open(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_DSYNC).catch(() => undefined);
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

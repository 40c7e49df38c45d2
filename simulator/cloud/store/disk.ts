import { constants } from "node:fs";
import { mkdir, open, readdir, readFile, rename, stat, truncate, unlink } from "node:fs/promises";
import { lockFolder } from "./folder-lock.ts";

const { O_APPEND, O_DSYNC, O_WRONLY } = constants;

/**
 * What the store does to files. The machine's own is below; the other end is the disk of the crash tests, which keeps
 * what was written apart from what is sure to be there after the power went.
 */
export interface Disk {
  /** Held until the returned function is called. */
  lock(folder: string): Promise<() => Promise<void>>;
  makeFolder(path: string): Promise<void>;
  /** Names in the folder. */
  list(folder: string): Promise<readonly string[]>;
  has(path: string): Promise<boolean>;
  read(path: string): Promise<Buffer>;
  /** A file anew; its bytes are durable when it resolves, its name when its folder is synced. */
  writeSynced(path: string, chunks: readonly Uint8Array[]): Promise<void>;
  openToAppend(path: string): Promise<AppendedFile>;
  /** Durable when it resolves. */
  truncate(path: string, length: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Nothing where there is none. */
  remove(path: string): Promise<void>;
  /** Makes the names in the folder durable. */
  syncFolder(path: string): Promise<void>;
}

export interface AppendedFile {
  /** Durable when it resolves. */
  append(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export const machineDisk: Disk = {
  lock: lockFolder,
  makeFolder: async (path) => {
    await mkdir(path, { recursive: true });
  },
  list: (folder) => readdir(folder),
  has: (path) =>
    stat(path).then(
      () => true,
      (error: unknown) => {
        if (isMissing(error)) return false;
        throw error;
      },
    ),
  read: (path) => readFile(path),
  writeSynced: async (path, chunks) => {
    const file = await open(path, "w", 0o600);
    try {
      for (const chunk of chunks) await file.writeFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  openToAppend: async (path) => {
    // Each write is synced by itself, which is one turn of a thread for what would be two.
    const file = await open(path, O_WRONLY | O_APPEND | O_DSYNC);
    return {
      append: async (bytes) => {
        for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at)).bytesWritten;
      },
      close: () => file.close(),
    };
  },
  truncate: async (path, length) => {
    await truncate(path, length);
    await syncPath(path);
  },
  rename,
  remove: async (path) => {
    await unlink(path).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
  },
  syncFolder: syncPath,
};

async function syncPath(path: string): Promise<void> {
  const opened = await open(path, "r");
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

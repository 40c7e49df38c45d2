import { createHash } from "node:crypto";
import { mkdir, open, readFile, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { invariant } from "@coalmine/runtime";
import type { BlobId } from "./store.ts";

/** Blobs as files named by their SHA-256: written aside, synced, renamed, and the folder synced. */
export class BlobFiles {
  readonly #folder: string;
  #temporary = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async put(bytes: Uint8Array): Promise<BlobId> {
    const id = createHash("sha256").update(bytes).digest("hex");
    const path = this.#path(id);
    if (await exists(path)) return id;
    const shard = join(this.#folder, id.slice(0, 2));
    if ((await mkdir(shard, { recursive: true })) !== undefined) await syncFolder(this.#folder);
    const aside = join(this.#folder, `${process.pid}-${this.#temporary++}.part`);
    await writeSynced(aside, bytes);
    await rename(aside, path);
    await syncFolder(shard);
    return id;
  }

  get(id: BlobId): Promise<Uint8Array> {
    return readFile(this.#path(id));
  }

  async remove(id: BlobId): Promise<void> {
    await unlink(this.#path(id)).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
  }

  #path(id: BlobId): string {
    invariant(/^[0-9a-f]{64}$/.test(id), `a blob's id is a SHA-256, not ${id}`);
    return join(this.#folder, id.slice(0, 2), id);
  }
}

export async function writeSynced(path: string, ...chunks: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, "w", 0o600);
  try {
    for (const chunk of chunks) await file.writeFile(chunk);
    await file.sync();
  } finally {
    await file.close();
  }
}

export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: unknown) => {
      if (isMissing(error)) return false;
      throw error;
    },
  );
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

import { hash } from "node:crypto";
import { join } from "node:path";
import { invariant } from "@coalmine/runtime";
import type { Disk } from "./disk.ts";
import type { BlobId } from "./store.ts";

/** Ours. Beyond it a blob that is put again is looked for on the disk again. */
const REMEMBERED_MAX = 10_000;
/** Ours. What was read last stays in memory, as far as it is small. */
const CACHED_BYTES_MAX = 8 * 1024 * 1024;
const CACHED_BLOB_BYTES_MAX = 64 * 1024;

/** Blobs as files named by their SHA-256: written aside, synced, renamed, and the folder synced. */
export class BlobFiles {
  readonly #folder: string;
  readonly #disk: Disk;
  /** The folders that are durable, or on their way. */
  readonly #shards = new Map<string, Promise<void>>();
  /** Those that are durable, or on their way: whoever puts the same again shares them. */
  readonly #puts = new Map<BlobId, Promise<void>>();
  /** What was read, the oldest first. Bytes never change under their id, so only a removal ends them. */
  readonly #read = new Map<BlobId, Uint8Array>();
  #readBytes = 0;
  /** Counts removals: what was being read meanwhile may be gone. */
  #removals = 0;
  #temporary = 0;

  constructor(folder: string, disk: Disk) {
    this.#folder = folder;
    this.#disk = disk;
  }

  async put(bytes: Uint8Array): Promise<BlobId> {
    const id = hash("sha256", bytes);
    if (this.#puts.size >= REMEMBERED_MAX) this.#puts.clear();
    const known = this.#puts.get(id) ?? this.#write(id, bytes);
    this.#puts.set(id, known);
    try {
      await known;
    } catch (failure) {
      this.#puts.delete(id);
      throw failure;
    }
    return id;
  }

  async #write(id: BlobId, bytes: Uint8Array): Promise<void> {
    const path = this.#path(id);
    const shard = join(this.#folder, id.slice(0, 2));
    await this.#durableShard(shard);
    // One that a killed process left may not have its name on the disk yet.
    if (!(await this.#disk.has(path))) {
      const aside = join(this.#folder, `${process.pid}-${this.#temporary++}.part`);
      await this.#disk.writeSynced(aside, [bytes]);
      await this.#disk.rename(aside, path);
    }
    await this.#disk.syncFolder(shard);
  }

  async get(id: BlobId): Promise<Uint8Array> {
    const known = this.#read.get(id);
    if (known !== undefined) return known;
    const removals = this.#removals;
    const bytes = await this.#disk.read(this.#path(id));
    if (bytes.length <= CACHED_BLOB_BYTES_MAX && removals === this.#removals) this.#keep(id, bytes);
    return bytes;
  }

  #keep(id: BlobId, bytes: Uint8Array): void {
    this.#drop(id);
    this.#read.set(id, bytes);
    this.#readBytes += bytes.length;
    for (const oldest of this.#read.keys()) {
      if (this.#readBytes <= CACHED_BYTES_MAX) return;
      this.#drop(oldest);
    }
  }

  #drop(id: BlobId): void {
    this.#readBytes -= this.#read.get(id)?.length ?? 0;
    this.#read.delete(id);
  }

  async remove(id: BlobId): Promise<void> {
    this.#puts.delete(id);
    this.#removals++;
    this.#drop(id);
    await this.#disk.remove(this.#path(id));
  }

  /** Once in a process for each: nobody may build on a folder that another has only just made. */
  #durableShard(shard: string): Promise<void> {
    const known =
      this.#shards.get(shard) ?? this.#disk.makeFolder(shard).then(() => this.#disk.syncFolder(this.#folder));
    this.#shards.set(shard, known);
    return known;
  }

  #path(id: BlobId): string {
    invariant(/^[0-9a-f]{64}$/.test(id), `a blob's id is a SHA-256, not ${id}`);
    return join(this.#folder, id.slice(0, 2), id);
  }
}

import { join } from "node:path";
import type { Log } from "@coalmine/ports";
import { CoalmineError, messageOf } from "@coalmine/runtime";
import { BlobFiles } from "./blob-files.ts";
import { machineDisk, type AppendedFile, type Disk } from "./disk.ts";
import { MemoryTable } from "./memory-store.ts";
import type { BlobId, Store, Table } from "./store.ts";
import { encodeRecord, MAGIC, readRecords, type Mutation } from "./wal.ts";

export class StoreError extends CoalmineError {
  readonly code = "ERR_CLOUD_STORE";
}

export interface DiskStoreOptions {
  readonly folder: string;
  readonly log: Log;
  /** A snapshot is taken when the log has grown to this, and to twice the last snapshot. */
  readonly snapshotAfterBytes?: number;
  readonly disk?: Disk;
}

const SNAPSHOT_AFTER_BYTES = 16 * 1024 * 1024;
const ROWS_PER_SNAPSHOT_RECORD = 500;

/**
 * State in one folder: `snapshot-N` holds everything up to the start of `wal-N`, `wal-N` what was committed since, and
 * `blobs/` the bytes. One commit is one record, so an operation that sets synchronously is there whole or not at all.
 */
export async function openDiskStore(options: DiskStoreOptions): Promise<Store> {
  const { folder, disk = machineDisk } = options;
  await disk.makeFolder(join(folder, "blobs"));
  const unlock = await disk.lock(folder);
  try {
    const store = new DiskStore(options, disk, unlock);
    await store.recover();
    return store;
  } catch (failure) {
    await unlock();
    throw failure;
  }
}

class DiskStore implements Store {
  readonly #folder: string;
  readonly #log: Log;
  readonly #snapshotAfterBytes: number;
  readonly #disk: Disk;
  readonly #blobs: BlobFiles;
  readonly #unlock: () => Promise<void>;
  readonly #tables = new Map<string, MemoryTable<unknown>>();
  #pending: Mutation[] = [];
  #flushing: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #broken: StoreError | undefined;
  #wal: AppendedFile | undefined;
  #generation = 0;
  #walBytes = 0;
  #snapshotBytes = 0;

  constructor(options: DiskStoreOptions, disk: Disk, unlock: () => Promise<void>) {
    this.#folder = options.folder;
    this.#log = options.log;
    this.#snapshotAfterBytes = options.snapshotAfterBytes ?? SNAPSHOT_AFTER_BYTES;
    this.#disk = disk;
    this.#blobs = new BlobFiles(join(options.folder, "blobs"), disk);
    this.#unlock = unlock;
  }

  table<Value>(name: string): Table<Value> {
    const rows = this.#rows(name);
    const pending = (mutation: Mutation): void => {
      this.#pending.push(mutation);
    };
    const table: Table<unknown> = {
      get: (key) => rows.get(key),
      set: (key, value) => {
        rows.set(key, value);
        pending([name, key, value]);
      },
      delete: (key) => {
        if (rows.get(key) === undefined) return;
        rows.delete(key);
        pending([name, key]);
      },
      entries: (prefix) => rows.entries(prefix),
      get size() {
        return rows.size;
      },
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a table's name fixes its value type.
    return table as Table<Value>;
  }

  #rows(name: string): MemoryTable<unknown> {
    const rows = this.#tables.get(name) ?? new MemoryTable<unknown>();
    this.#tables.set(name, rows);
    return rows;
  }

  putBlob(bytes: Uint8Array): Promise<BlobId> {
    return this.#blobs.put(bytes);
  }
  getBlob(id: BlobId): Promise<Uint8Array> {
    return this.#blobs.get(id);
  }
  removeBlob(id: BlobId): Promise<void> {
    return this.#blobs.remove(id);
  }

  /** Joins the sync that comes next: whoever waits while one runs shares the following one. */
  commit(): Promise<void> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    if (this.#pending.length === 0) return this.#flushing ?? Promise.resolve();
    this.#next ??= this.#flushNext();
    return this.#next;
  }

  async #flushNext(): Promise<void> {
    await this.#flushing?.catch(() => undefined);
    this.#next = undefined;
    this.#flushing = this.#flush();
    try {
      await this.#flushing;
    } finally {
      this.#flushing = undefined;
    }
  }

  async #flush(): Promise<void> {
    if (this.#broken !== undefined) throw this.#broken;
    const mutations = this.#pending;
    this.#pending = [];
    try {
      const record = encodeRecord(mutations);
      await this.#wal?.append(record);
      this.#walBytes += record.length;
      if (this.#walBytes > Math.max(this.#snapshotAfterBytes, 2 * this.#snapshotBytes))
        await this.#snapshot();
    } catch (failure) {
      // After a failed sync nobody knows what the disk has: only a start from the disk tells.
      this.#broken = new StoreError(
        `cannot write the cloud's state in ${this.#folder}: ${messageOf(failure)}; free the disk and start again.`,
        { cause: failure },
      );
      throw this.#broken;
    }
  }

  async recover(): Promise<void> {
    const names = await this.#disk.list(this.#folder);
    for (const folder of [this.#folder, join(this.#folder, "blobs")])
      for (const name of await this.#disk.list(folder))
        if (name.endsWith(".part")) await this.#disk.remove(join(folder, name));
    const snapshots = numbersOf(names, "snapshot-");
    const wals = numbersOf(names, "wal-");
    const base = snapshots.at(-1) ?? 0;
    if (snapshots.length > 0) await this.#readSnapshot(base);
    const live = wals.filter((number) => number >= base);
    for (const number of live) await this.#replay(number, number === live.at(-1));
    this.#generation = live.at(-1) ?? base;
    if (live.length === 0) await this.#startWal(this.#generation);
    else this.#wal = await this.#disk.openToAppend(this.#path(`wal-${this.#generation}`));
    await this.#removeBefore(base);
  }

  async #readSnapshot(number: number): Promise<void> {
    const bytes = await this.#disk.read(this.#path(`snapshot-${number}`));
    let whole = false;
    const end = readRecords(bytes, (mutations) => {
      whole = mutations.length === 0;
      this.#apply(mutations);
    });
    if (!whole || end !== bytes.length)
      throw new StoreError(
        `cannot read ${this.#path(`snapshot-${number}`)}: byte ${end} of ${bytes.length} is damaged; put a copy of the folder back, or start with an empty one.`,
      );
    this.#snapshotBytes = bytes.length;
  }

  async #replay(number: number, isLast: boolean): Promise<void> {
    const path = this.#path(`wal-${number}`);
    const bytes = await this.#disk.read(path);
    const end = readRecords(bytes, (mutations) => this.#apply(mutations));
    this.#walBytes = end;
    if (end === bytes.length && end > 0) return;
    if (!isLast)
      throw new StoreError(
        `cannot read ${path}: byte ${end} of ${bytes.length} is damaged, and a later log follows it; put a copy of the folder back.`,
      );
    this.#log.warn(
      "the end of the cloud's log was torn and is dropped; nothing that was answered was in it",
      {
        path,
        droppedBytes: bytes.length - end,
      },
    );
    if (end === 0) {
      await this.#startWal(number);
      await this.#wal?.close();
      return;
    }
    await this.#disk.truncate(path, end);
  }

  #apply(mutations: readonly Mutation[]): void {
    for (const mutation of mutations) {
      const [table, key, value] = mutation;
      if (mutation.length === 2) this.#rows(table).delete(key);
      else this.#rows(table).set(key, value);
    }
  }

  async #startWal(number: number): Promise<void> {
    await this.#disk.writeSynced(this.#path(`wal-${number}`), [MAGIC]);
    await this.#disk.syncFolder(this.#folder);
    this.#wal = await this.#disk.openToAppend(this.#path(`wal-${number}`));
    this.#generation = number;
    this.#walBytes = MAGIC.length;
  }

  /** A new log first, then everything as it stands; a crash between the two replays both logs. */
  async #snapshot(): Promise<void> {
    const rows = this.#snapshotRecords();
    await this.#wal?.close();
    await this.#startWal(this.#generation + 1);
    const path = this.#path(`snapshot-${this.#generation}`);
    await this.#disk.writeSynced(`${path}.part`, [MAGIC, ...rows]);
    await this.#disk.rename(`${path}.part`, path);
    await this.#disk.syncFolder(this.#folder);
    this.#snapshotBytes = rows.reduce((sum, row) => sum + row.length, MAGIC.length);
    await this.#removeBefore(this.#generation);
  }

  /** Encoded at once, so that it is the state of one moment. An empty record ends it. */
  #snapshotRecords(): Buffer[] {
    const records: Buffer[] = [];
    let rows: Mutation[] = [];
    for (const [name, table] of this.#tables)
      for (const [key, value] of table.entries()) {
        rows.push([name, key, value]);
        if (rows.length >= ROWS_PER_SNAPSHOT_RECORD) {
          records.push(encodeRecord(rows));
          rows = [];
        }
      }
    if (rows.length > 0) records.push(encodeRecord(rows));
    records.push(encodeRecord([]));
    return records;
  }

  async #removeBefore(generation: number): Promise<void> {
    const names = await this.#disk.list(this.#folder);
    for (const prefix of ["wal-", "snapshot-"])
      for (const number of numbersOf(names, prefix))
        if (number < generation) await this.#disk.remove(this.#path(`${prefix}${number}`));
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  async close(): Promise<void> {
    try {
      await this.commit();
    } finally {
      await this.#wal?.close();
      this.#wal = undefined;
      await this.#unlock();
    }
  }
}

function numbersOf(names: readonly string[], prefix: string): number[] {
  return names
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => a - b);
}

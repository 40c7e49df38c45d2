import { closeSync, constants, fdatasyncSync, mkdirSync, openSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { nodeCrypto } from "@coalmine/device/crypto";
import { workFiles } from "@coalmine/device/work-files";
import { DurableLog } from "@coalmine/durable-log";
import type { Files } from "@coalmine/ports";
import { inSteps } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { open as openLmdb } from "lmdb";

/** What every candidate stores: `commits` times `producers` records of 1 KiB, each awaited by its producer. */
export interface Load {
  /** Its own, and empty. */
  readonly folder: string;
  readonly producers: number;
  readonly commits: number;
}

export const RECORD_BYTES = 1024;
/** Of the log that is measured: with commits of 1 MiB a roll comes once in 15 of them. */
const SEGMENT_BYTES = 16 * 2 ** 20;
const record = new Uint8Array(RECORD_BYTES).map((_, at) => (at * 31) % 251);

/** How often the log asked its file port to make something durable, and how often it wrote. */
export interface Counted {
  syncs: number;
  writes: number;
}

/** The limit: one write call and one fdatasync for the records of all producers, and nothing else. */
export function bareLoop({ folder, producers, commits }: Load, isSynced = true): number {
  mkdirSync(folder);
  const file = openSync(join(folder, "bare"), "w");
  const batch = new Uint8Array(producers * RECORD_BYTES);
  for (let at = 0; at < producers; at++) batch.set(record, at * RECORD_BYTES);
  const started = performance.now();
  for (let commit = 0; commit < commits; commit++) {
    writeSync(file, batch, 0, batch.length, commit * batch.length);
    if (isSynced) fdatasyncSync(file);
  }
  const seconds = (performance.now() - started) / 1000;
  closeSync(file);
  return (producers * commits) / seconds;
}

/**
 * The limit for anything that, beside the bare loop, checks each record, tells each producer, and lets the thread serve
 * others while the disk works: a record is copied and its CRC taken, a write that is durable by itself is awaited, and
 * whoever waited is told. It knows how many producers there are, never rolls, and could read nothing back.
 */
export async function checkedLoop(load: Load): Promise<number> {
  mkdirSync(load.folder);
  const file = await open(
    join(load.folder, "checked"),
    constants.O_WRONLY | constants.O_CREAT | constants.O_DSYNC,
  );
  const batch = new Uint8Array(load.producers * (RECORD_BYTES + 4));
  const view = new DataView(batch.buffer);
  let length = 0;
  let position = 0;
  let waiting: (() => void)[] = [];
  const commit = async (): Promise<void> => {
    await file.write(batch, 0, length, position);
    position += length;
    length = 0;
    const told = waiting;
    waiting = [];
    for (const stored of told) stored();
  };
  const rate = await produced(load, () => {
    return new Promise<void>((stored) => {
      batch.set(record, length);
      view.setUint32(length + RECORD_BYTES, crc32(batch.subarray(length, length + RECORD_BYTES)));
      length += RECORD_BYTES + 4;
      waiting.push(stored);
      if (waiting.length === load.producers) void commit();
    });
  });
  await file.close();
  return rate;
}

/**
 * One batch is synced while the next is made, which takes `busyMs` of the thread, and written: the limit for anything that
 * spends so much on a batch and makes one after the other durable.
 */
export async function overlappedLoop({ folder, producers, commits }: Load, busyMs: number): Promise<number> {
  mkdirSync(folder);
  const file = await open(join(folder, "bare"), "w");
  const batch = new Uint8Array(producers * RECORD_BYTES);
  const started = performance.now();
  for (let commit = 0; commit < commits; commit++) {
    const syncing = file.datasync();
    const untilMs = performance.now() + busyMs;
    while (performance.now() < untilMs);
    writeSync(file.fd, batch, 0, batch.length, commit * batch.length);
    await syncing;
  }
  await file.datasync();
  const seconds = (performance.now() - started) / 1000;
  await file.close();
  return (producers * commits) / seconds;
}

/** The durable log on the device's real file port. */
export async function durableLog(load: Load, counted: Counted = { syncs: 0, writes: 0 }): Promise<number> {
  mkdirSync(load.folder);
  const log = await openLog(countedFiles(workFiles(load.folder, systemClock), counted));
  counted.syncs = 0;
  counted.writes = 0;
  const rate = await produced(load, () => log.append(record));
  await log.close();
  return rate;
}

/** The durable log fed without a pause, `inFlight` records awaited at a time; `isSynced` false leaves every sync out. */
export async function fedLog(
  folder: string,
  records: number,
  inFlight: number,
  isSynced: boolean,
): Promise<number> {
  mkdirSync(folder);
  const files = workFiles(folder, systemClock);
  const log = await openLog(isSynced ? files : unsynced(files));
  const rate = await produced({ producers: inFlight, commits: Math.ceil(records / inFlight) }, () =>
    log.append(record),
  );
  await log.close();
  return rate;
}

/** LMDB, a put a record. `overlapping` chooses between its two ways to be durable. */
export async function lmdb({ folder, producers, commits }: Load, overlapping: boolean): Promise<number> {
  const db = openLmdb<Uint8Array, number>({
    path: folder,
    encoding: "binary",
    overlappingSync: overlapping,
    mapSize: 2 ** 30,
  });
  let key = 0;
  const rate = await produced({ producers, commits }, async () => {
    await db.put(++key, record);
    if (overlapping) await db.flushed;
  });
  await db.close();
  return rate;
}

/** SQLite as it is durable: WAL, every commit synced, one transaction for the records of all producers. */
export function sqlite({ folder, producers, commits }: Load): number {
  mkdirSync(folder);
  const db = new DatabaseSync(join(folder, "spool.db"));
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
  db.exec("CREATE TABLE spool (sequence INTEGER PRIMARY KEY, payload BLOB NOT NULL) STRICT");
  const insert = db.prepare("INSERT INTO spool (payload) VALUES (?)");
  const started = performance.now();
  for (let commit = 0; commit < commits; commit++) {
    db.exec("BEGIN");
    for (let at = 0; at < producers; at++) insert.run(record);
    db.exec("COMMIT");
  }
  const seconds = (performance.now() - started) / 1000;
  db.close();
  return (producers * commits) / seconds;
}

/** Records per second of `producers` that each store one record after the other. */
async function produced(
  { producers, commits }: Omit<Load, "folder">,
  store: () => Promise<unknown>,
): Promise<number> {
  const produce = async (): Promise<void> => {
    for (let commit = 0; commit < commits; commit++) await store();
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: producers }, produce));
  return (producers * commits * 1000) / (performance.now() - started);
}

function openLog(files: Files): Promise<DurableLog> {
  return DurableLog.open({
    files,
    clock: systemClock,
    crypto: nodeCrypto,
    folder: "log",
    segmentBytes: SEGMENT_BYTES,
  });
}

function countedFiles(files: Files, counted: Counted): Files {
  return {
    ...files,
    async open(path, mode) {
      const file = await files.open(path, mode);
      return {
        ...file,
        write: (position, bytes) => (counted.writes++, file.write(position, bytes)),
        writeDurably: (position, bytes) => {
          counted.writes++;
          counted.syncs++;
          return file.writeDurably(position, bytes);
        },
        sync: () => (counted.syncs++, file.sync()),
      };
    },
    syncFolder: (path) => (counted.syncs++, files.syncFolder(path)),
  };
}

function unsynced(files: Files): Files {
  return {
    ...files,
    open: async (path, mode) => inSteps({ ...(await files.open(path, mode)), sync: async () => undefined }),
    syncFolder: async () => undefined,
  };
}

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { atLeast, atMost, type Bench, inTurn, median, type Metric, type Metrics, ratio } from "../measure.ts";
import {
  bareLoop,
  checkedLoop,
  type Counted,
  durableLog,
  fedLog,
  lmdb,
  type Load,
  overlappedLoop,
  RECORD_BYTES,
  sqlite,
} from "./candidates.ts";

const root = dirname(dirname(import.meta.dirname));
/** Of each candidate and round: enough commits that a single slow flush of the disk does not decide. */
const COMMITS = { 64: 300, 512: 60 } as const;
const MIB = 2 ** 20;
const FED_RECORDS = 64 * (MIB / RECORD_BYTES);
/** Four batches of 1 MiB wait, or are under way, at any time. */
const FED_IN_FLIGHT = 4 * (MIB / RECORD_BYTES);

/**
 * The durable log against the limit (a bare loop) and against embedded stores at equal durability, on the disk that
 * holds this checkout. All in turn in one run; every figure is the median of the rounds, every ratio of theirs.
 */
export const bench: Bench = async (say) => {
  const parent = join(root, ".coalmine");
  mkdirSync(parent, { recursive: true });
  const scratch = mkdtempSync(join(parent, "bench-spool-"));
  let runs = 0;
  const fresh = async (run: (folder: string) => Promise<number> | number): Promise<number> => {
    const folder = join(scratch, String(++runs));
    try {
      return await run(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
  try {
    const metrics: Record<string, Metric> = {};
    for (const producers of [64, 512] as const) {
      say(`${producers} producers: the bare loop, the log, lmdb, node:sqlite in turn`);
      Object.assign(metrics, await awaited(producers, COMMITS[producers], fresh));
    }
    say("batches of 1 MiB, with and without syncs");
    const perBatch = MIB / RECORD_BYTES;
    const load = (folder: string): Load => ({ folder, producers: perBatch, commits: FED_RECORDS / perBatch });
    let batchMs = 0;
    const fed = await inTurn({
      synced: () => fresh((folder) => fedLog(folder, FED_RECORDS, FED_IN_FLIGHT, true)),
      unsynced: async () => {
        const rate = await fresh((folder) => fedLog(folder, FED_RECORDS, FED_IN_FLIGHT, false));
        batchMs = (1000 * perBatch) / rate;
        return rate;
      },
      overlapped: () => fresh((folder) => overlappedLoop(load(folder), batchMs)),
      bare: () => fresh((folder) => bareLoop(load(folder))),
      bareUnsynced: () => fresh((folder) => bareLoop(load(folder), false)),
    });
    return {
      ...metrics,
      batch1MiBSynced: { value: median(fed.synced), unit: "records/s" },
      batch1MiBUnsynced: { value: median(fed.unsynced), unit: "records/s" },
      batch1MiBOverUnsynced: atLeast(ratio(fed.synced, fed.unsynced), "x", 0.85),
      // What this disk lets anybody have: the same for a loop that does nothing but write and sync.
      bare1MiBSynced: { value: median(fed.bare), unit: "records/s" },
      bare1MiBUnsynced: { value: median(fed.bareUnsynced), unit: "records/s" },
      // The limit on this disk: the log's own time for a batch is spent while the batch before is synced.
      overlapped1MiB: { value: median(fed.overlapped), unit: "records/s" },
      overlapped1MiBOverUnsynced: { value: ratio(fed.overlapped, fed.unsynced), unit: "x" },
      batch1MiBOverOverlapped: { value: ratio(fed.synced, fed.overlapped), unit: "x" },
      bare1MiBOverUnsynced: { value: ratio(fed.bare, fed.bareUnsynced), unit: "x" },
      batch1MiBOverBare: { value: ratio(fed.synced, fed.bare), unit: "x" },
    };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
};

async function awaited(
  producers: number,
  commits: number,
  fresh: (run: (folder: string) => Promise<number> | number) => Promise<number>,
): Promise<Metrics> {
  const syncsPerCommit: number[] = [];
  const load = (folder: string): Load => ({ folder, producers, commits });
  const rates = await inTurn({
    bare: () => fresh((folder) => bareLoop(load(folder))),
    checked: () => fresh((folder) => checkedLoop(load(folder))),
    log: () =>
      fresh(async (folder) => {
        const counted: Counted = { syncs: 0, writes: 0 };
        const rate = await durableLog(load(folder), counted);
        syncsPerCommit.push(counted.syncs / commits);
        return rate;
      }),
    lmdb: () => fresh((folder) => lmdb(load(folder), false)),
    lmdbOverlapping: () => fresh((folder) => lmdb(load(folder), true)),
    sqlite: () => fresh((folder) => sqlite(load(folder))),
  });
  const lmdbBest = rates.lmdb.map((rate, round) => Math.max(rate, rates.lmdbOverlapping[round] ?? 0));
  const named = (name: string): string => `${name}${producers}`;
  return {
    [named("bare")]: { value: median(rates.bare), unit: "records/s" },
    [named("log")]: { value: median(rates.log), unit: "records/s" },
    [named("lmdb")]: { value: median(lmdbBest), unit: "records/s" },
    [named("sqlite")]: { value: median(rates.sqlite), unit: "records/s" },
    [named("logOverBare")]: atLeast(ratio(rates.log, rates.bare), "x", 0.5),
    // What is left of the bare loop where each record is checked and its producer told, and of that where the log stores.
    [named("checkedOverBare")]: { value: ratio(rates.checked, rates.bare), unit: "x" },
    [named("logOverChecked")]: { value: ratio(rates.log, rates.checked), unit: "x" },
    [named("logOverLmdb")]: atLeast(ratio(rates.log, lmdbBest), "x", 1.2),
    [named("logOverSqlite")]: atLeast(ratio(rates.log, rates.sqlite), "x", 1.2),
    [named("syncsPerCommit")]: atMost(median(syncsPerCommit), "syncs", 1.1),
  };
}

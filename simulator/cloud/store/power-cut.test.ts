import { SeededRandom, silentLog } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { CrashingDisk } from "./crashing-disk.fixture.ts";
import { openDiskStore } from "./disk-store.ts";
import type { Store } from "./store.ts";

/** Every change of the disk is a moment at which the power may go; of each moment so many outcomes are tried. */
const OUTCOMES_PER_MOMENT = 5;
const STATES_MIN = 2000;

interface Row {
  readonly n: number;
  readonly blob?: string;
}
interface Crash {
  readonly disk: CrashingDisk;
  /** How many operations had been answered, and how many begun. */
  readonly answered: number;
  readonly begun: number;
}

const open = (disk: CrashingDisk): Promise<Store> =>
  openDiskStore({ folder: "/state", log: silentLog, snapshotAfterBytes: 2000, disk });
const rowsOf = (store: Store): string => JSON.stringify([...store.table<Row>("t").entries()]);

/** Operations of two rows or a blob and a row, some at once, over many snapshots; and the crashes on their way. */
async function record(
  seed: string,
): Promise<{ crashes: Crash[]; histories: string[]; blobs: Map<string, string> }> {
  const random = new SeededRandom(seed);
  const disk = new CrashingDisk(["/state"]);
  const store = await open(disk);
  const rows = new Map<string, Row>();
  const histories = [JSON.stringify([])];
  const blobs = new Map<string, string>();
  const crashes: Crash[] = [];
  let answered = 0;
  /** Of operations at once the later may be answered first only together with the earlier: commits keep their order. */
  const done = new Set<number>();
  disk.changed = () => {
    for (let outcome = 0; outcome < OUTCOMES_PER_MOMENT; outcome++)
      crashes.push({ disk: disk.afterPowerCut(random), answered, begun: histories.length - 1 });
  };
  const operate = async (n: number): Promise<void> => {
    const content = `blob ${Math.floor(random.next() * 8)}`;
    const blob = random.next() < 0.25 ? await store.putBlob(Buffer.from(content)) : undefined;
    if (blob !== undefined) blobs.set(blob, content);
    const table = store.table<Row>("t");
    const key = `k${Math.floor(random.next() * 12)}`;
    if (random.next() < 0.2) {
      table.delete(key);
      rows.delete(key);
    } else
      for (const name of [key, `${key}/twin`]) {
        const row = { n, ...(blob === undefined ? {} : { blob }) };
        table.set(name, row);
        rows.set(name, row);
      }
    histories.push(JSON.stringify([...rows].sort(([one], [other]) => (one < other ? -1 : 1))));
    const mine = histories.length - 1;
    await store.commit();
    done.add(mine);
    while (done.has(answered + 1)) answered++;
  };
  for (let n = 0; n < 60; n += 3)
    await Promise.all(
      Array.from({ length: 1 + Math.floor(random.next() * 3) }, (_, more) => operate(n + more)),
    );
  disk.changed = () => {};
  await store.close();
  return { crashes, histories, blobs };
}

test("whatever a power cut drops or tears of what was not synced: the store starts, and has all that was answered", async () => {
  let states = 0;
  for (const seed of ["one", "two"]) {
    const { crashes, histories, blobs } = await record(seed);
    const random = new SeededRandom(`${seed} again`);
    const check = async (disk: CrashingDisk, { answered, begun }: Crash, what: string): Promise<void> => {
      const store = await open(disk);
      const found = rowsOf(store);
      // Some prefix of the operations, whole, and none of the answered ones is missing.
      expect(histories.slice(answered, begun + 1), what).toContain(found);
      for (const [, { blob }] of store.table<Row>("t").entries())
        if (blob !== undefined)
          expect(Buffer.from(await store.getBlob(blob)).toString(), what).toBe(blobs.get(blob));
      // It goes on from there.
      store.table<Row>("t").set("after", { n: states });
      await store.commit();
      states++;
    };
    for (const [index, crash] of crashes.entries()) {
      const what = `seed ${seed}, crash ${index}`;
      if (index % 10 === 0) {
        // The power goes again while it starts.
        const again = new CrashingMoments(crash.disk, random);
        await open(crash.disk);
        for (const disk of again.taken) await check(disk, crash, `${what}, again`);
      } else await check(crash.disk, crash, what);
    }
  }
  expect(states).toBeGreaterThanOrEqual(STATES_MIN);
});

/** One outcome of each change that the disk goes through. */
class CrashingMoments {
  readonly taken: CrashingDisk[] = [];
  constructor(disk: CrashingDisk, random: SeededRandom) {
    disk.changed = () => this.taken.push(disk.afterPowerCut(random));
  }
}

test("a disk that forgets what was synced is found out: the check can fail", async () => {
  const { crashes, histories } = await record("forgetful");
  const random = new SeededRandom("forgetful");
  let lost = 0;
  for (const { answered, begun } of crashes.slice(-200)) {
    const empty = new CrashingDisk(["/state"]).afterPowerCut(random);
    if (!histories.slice(answered, begun + 1).includes(rowsOf(await open(empty)))) lost++;
  }
  expect(lost).toBe(200);
});

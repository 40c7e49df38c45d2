import { CoalmineError, SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { faulty, openLog, readAll, text } from "./log.fixture.ts";
import { memoryFiles } from "./memory-files.ts";

const isLong = process.env["COALMINE_LONG"] === "1";

test("the payload is copied when append is called [durable-log-1.7]", async () => {
  const log = await openLog(memoryFiles());
  const payload = text("as it was");
  const appended = log.append(payload);
  payload.fill(0);
  await appended;
  expect((await readAll(log)).records.get(1)).toBe("as it was");
});

test("a commit costs one sync, and one of the folder where it starts a segment [durable-log-1.8]", async () => {
  const memory = memoryFiles();
  const counts = { sync: 0, syncFolder: 0 };
  const files = faulty(memory, (operation) => {
    if (operation === "sync" || operation === "syncFolder") counts[operation]++;
    return undefined;
  });
  const log = await openLog(files, { segmentBytes: 8192 });
  Object.assign(counts, { sync: 0, syncFolder: 0 });
  const commits = 200;
  for (let commit = 0; commit < commits; commit++)
    await Promise.all(Array.from({ length: 5 }, (_, at) => log.append(text(`record ${commit}/${at}`))));
  const segments = (await memory.list("log")).length;
  expect(segments).toBeGreaterThan(5);
  expect(counts).toEqual({ sync: commits, syncFolder: segments });
});

test("full commits are written ahead of the sync before them, and stay in order", async () => {
  const memory = memoryFiles();
  const log = await openLog(memory, { segmentBytes: 5 * 2 ** 20 });
  const payload = (at: number): Uint8Array => new Uint8Array(64 * 1024).fill(at % 251);
  const numbers = await Promise.all(Array.from({ length: 160 }, (_, at) => log.append(payload(at))));
  expect(numbers).toEqual(Array.from({ length: 160 }, (_, at) => at + 1));
  memory.crash();
  let next = 1;
  for await (const { records, gaps } of (await openLog(memory)).read(1)) {
    expect(gaps).toEqual([]);
    for (const record of records) {
      expect([record.sequence, record.payload[0], record.payload.length]).toEqual([
        next,
        (next - 1) % 251,
        65_536,
      ]);
      next++;
    }
  }
  expect(next).toBe(161);
});

/** One life of a log on a disk that fails by chance for a while, and how often it did; what was acknowledged must outlast it. */
async function faultyLife(seed: string): Promise<number> {
  const random = new SeededRandom(seed);
  const memory = memoryFiles(random.next() < 0.5 ? {} : { capacityBytes: 30_000 + random.below(30_000) });
  let chance = 0;
  let faults = 0;
  const files = faulty(memory, (operation, path) => {
    if (operation === "read" || operation === "list" || path.includes(".cursor")) return undefined;
    if (random.next() >= chance) return undefined;
    faults++;
    return random.next() < 0.5 ? "EIO" : "ENOSPC";
  });
  const options = { segmentBytes: 2048, capBytes: 20_000, whenFull: "reject" } as const;
  const log = await openLog(files, options);
  const cursor = await log.cursor("up");
  const acknowledged = new Map<number, string>();
  chance = random.next() * 0.6;
  for (let round = 0; round < 40; round++) {
    if (round === 30) chance = 0;
    const group = Array.from({ length: 1 + random.below(6) }, async (_, at) => {
      const payload = `${round}/${at}:${"z".repeat(random.below(300))}`;
      try {
        const sequence = await log.append(text(payload));
        expect(acknowledged.has(sequence)).toBe(false);
        acknowledged.set(sequence, payload);
      } catch (failure) {
        expect(failure).toBeInstanceOf(CoalmineError);
      }
    });
    await Promise.all(group);
    if (random.next() < 0.3) {
      await cursor.advance(Math.max(cursor.done, log.last - random.below(20)));
      await log.free().catch((failure: unknown) => expect(failure).toMatchObject({ name: "FileError" }));
    }
  }
  await cursor.advance(Math.max(cursor.done, log.last - 5));
  await log.free();
  const fresh = await log.append(text("fresh"));
  acknowledged.set(fresh, "fresh");
  const check = async (reader: typeof log): Promise<void> => {
    const { records } = await readAll(reader, cursor.done + 1);
    const wanted = [...acknowledged].filter(([sequence]) => sequence > cursor.done);
    expect(wanted.filter(([sequence, payload]) => records.get(sequence) !== payload)).toEqual([]);
    // Between the acknowledged ones nothing may be told that was never appended under that number.
    expect([...records].filter(([sequence, payload]) => acknowledged.get(sequence) !== payload)).toEqual([]);
  };
  await check(log);
  memory.crash();
  await check(await openLog(memory, options));
  return faults;
}

test("whatever the disk refuses, no acknowledged record is lost, and appending works again [durable-log-1.9]", async () => {
  let faults = 0;
  const lives = isLong ? 3000 : 60;
  for (let seed = 0; seed < lives; seed++) faults += await faultyLife(`faults ${seed}`);
  expect(faults).toBeGreaterThan(5 * lives);
}, 600_000);

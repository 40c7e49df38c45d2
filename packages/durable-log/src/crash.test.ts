import { SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { crashState, type Fate, recordedFiles } from "./crash-files.ts";
import { fixtureCrypto } from "./crypto.fixture.ts";
import { faulty, openLog, readAll, text } from "./log.fixture.ts";
import { memoryFiles, type MemoryFiles } from "./memory-files.ts";
import type { DurableLogOptions } from "./options.ts";

const isLong = process.env["COALMINE_LONG"] === "1";
const SEGMENT_BYTES = isLong ? 16_384 : 4096;
/** Appends of one commit at most: the long form wants many sectors that may be torn. */
const GROUP_MAX = isLong ? 20 : 8;
/** Nothing is timed here: the long form takes minutes of a whole core, and a shared machine may give it a part of one. */
const PATIENCE_MS = 3_600_000;
const GROUPS = isLong ? 260 : 70;
/** What becomes of the unsynced at a prefix: in the long form all of it kept, all dropped, and chance many times. */
function fatesOf(length: number): Fate[] {
  if (!isLong) return [length % 4 === 0 ? "kept" : length % 4 === 2 ? "dropped" : "chance", "chance"];
  return ["kept", "dropped", ...Array.from({ length: 96 }, () => "chance" as const)];
}

interface Promised {
  readonly at: number;
  readonly acknowledged: number;
  readonly done: number;
  readonly reserved: number;
}

/** A run of appends alone and in groups, seals by size and age, cursor moves and freeing; what was promised to whom by which event. */
async function scriptedRun() {
  const { files, events } = recordedFiles();
  const promises: Promised[] = [{ at: 0, acknowledged: 0, done: 0, reserved: 0 }];
  const random = new SeededRandom("scripted run");
  let now = 0;
  const options = { segmentBytes: SEGMENT_BYTES, sealAfterMs: 20_000, clock: { now: () => (now += 100) } };
  const log = await openLog(files, options);
  const cursor = await log.cursor("up");
  const operations = { append: 0, seal: 0, move: 0, free: 0 };
  const promise = (): void => {
    promises.push({
      at: events.length,
      acknowledged: log.last,
      done: cursor.done,
      reserved: cursor.reserved,
    });
  };
  for (let groups = 0; groups < GROUPS; groups++) {
    const group = Array.from({ length: 1 + random.below(GROUP_MAX) }, () => {
      operations.append++;
      return log.append(payloadOf(operations.append));
    });
    await Promise.all(group);
    promise();
    if (random.next() < 0.1) {
      now += 20_000;
      await log.tend();
      operations.seal++;
    }
    if (random.next() < 0.2) {
      await cursor.reserve(log.last);
      promise();
      await cursor.advance(log.last - random.below(log.last - cursor.done));
      promise();
      await log.free();
      operations.move += 2;
      operations.free++;
    }
  }
  return { events, promises, operations, epoch: log.epoch };
}
const contentOf = (sequence: number): string => `${sequence}:${"x".repeat((sequence * 37) % 600)}`;
const shortOf = (sequence: number): string => contentOf(sequence).slice(0, 100);
const payloadOf = (sequence: number): Uint8Array => text(contentOf(sequence));
const run = await scriptedRun();

/** Tells one state of the disk from another. */
function digestOf(files: MemoryFiles): string {
  let crc = 0;
  let crcBackwards = 0;
  for (const [path, bytes] of files.contents()) {
    crc = fixtureCrypto.crc32(bytes, fixtureCrypto.crc32(text(path), crc));
    crcBackwards = fixtureCrypto.crc32(bytes.toReversed(), fixtureCrypto.crc32(text(path), crcBackwards));
  }
  return `${crc}/${crcBackwards}`;
}

test(
  "every prefix, with unsynced writes kept, dropped, torn and reordered, keeps what was promised [durable-log-4.1] [durable-log-3.2]",
  async () => {
    const random = new SeededRandom("fates");
    const states = new Set<string>();
    for (let length = 0; length <= run.events.length; length++) {
      const promised = run.promises.findLast(({ at }) => at <= length);
      if (promised === undefined) throw new Error("the run promises nothing at its start");
      const later = run.promises.find(({ at }) => at >= length) ?? promised;
      // With the same promise the same state needs no second look.
      const here = new Set<string>();
      // Where nothing is unsynced there is one fate.
      const isSettled =
        digestOf(crashState(run.events, length, "kept", random)) ===
        digestOf(crashState(run.events, length, "dropped", random));
      for (const fate of isSettled ? (["kept"] as const) : fatesOf(length)) {
        const files = crashState(run.events, length, fate, random);
        const digest = digestOf(files);
        if (here.has(digest)) continue;
        here.add(digest);
        states.add(digest);
        const log = await openLog(files, { segmentBytes: SEGMENT_BYTES });
        const cursor = await log.cursor("up");
        // Old or new, never a mixture.
        expect([promised.done, later.done]).toContain(cursor.done);
        expect([promised.reserved, later.reserved]).toContain(cursor.reserved);
        if (promised.acknowledged > 0) expect(log.epoch).toBe(run.epoch);
        const { records } = await readAll(log, cursor.done + 1);
        const lost: number[] = [];
        for (let sequence = cursor.done + 1; sequence <= promised.acknowledged; sequence++)
          if (!records.has(sequence)) lost.push(sequence);
        const wrong = [...records].filter(([sequence, payload]) => payload !== contentOf(sequence));
        expect({ lost, wrong }, `after ${length} events, ${fate}`).toEqual({ lost: [], wrong: [] });
        const fresh = await log.append(text("fresh"));
        expect(fresh).toBeGreaterThan(Math.max(promised.acknowledged, promised.reserved));
        expect((await readAll(log, fresh)).records.get(fresh)).toBe("fresh");
      }
    }
    const { append, seal, move, free } = run.operations;
    expect(append + seal + move + free).toBeGreaterThan(300);
    expect(Math.min(append, seal, move, free)).toBeGreaterThan(3);
    expect(states.size).toBeGreaterThan(isLong ? 10_000 : 300);
  },
  PATIENCE_MS,
);

test(
  "a crash while segments are thinned out costs nothing that their owner keeps [durable-log-4.1] [durable-log-2.7]",
  async () => {
    const { files, events } = recordedFiles();
    const isKept = (sequence: number): boolean => sequence % 8 === 0;
    const options: Partial<DurableLogOptions> = {
      segmentBytes: 1024,
      capBytes: 6000,
      whenFull: "downsample-oldest",
      keep: ({ sequence }) => isKept(sequence),
    };
    const log = await openLog(files, options);
    const acknowledged = [{ at: 0, last: 0 }];
    for (let sequence = 1; sequence <= 90; sequence++) {
      await log.append(text(shortOf(sequence)));
      acknowledged.push({ at: events.length, last: sequence });
    }
    expect(log.givenUp.thinned).toBeGreaterThan(10);
    expect(log.givenUp.overwritten).toBe(0);
    const random = new SeededRandom("thinned");
    for (let length = 0; length <= events.length; length++)
      for (const fate of fatesOf(length).slice(0, 8)) {
        const last = acknowledged.findLast(({ at }) => at <= length)?.last ?? 0;
        const reopened = await openLog(crashState(events, length, fate, random), options);
        const { records, gaps } = await readAll(reopened);
        for (let sequence = 1; sequence <= last; sequence++)
          if (isKept(sequence))
            expect(records.get(sequence), `after ${length}, ${fate}`).toBe(shortOf(sequence));
        expect([...records].filter(([sequence, payload]) => payload !== shortOf(sequence))).toEqual([]);
        const told = gaps.reduce((sum, gap) => sum + gap.last - gap.first + 1, records.size);
        expect(told).toBe(reopened.last);
      }
  },
  PATIENCE_MS,
);

test("a last segment cut at any byte keeps its whole records, tells the torn bytes and goes on in a new segment [durable-log-4.2]", async () => {
  const memory = memoryFiles();
  const log = await openLog(memory);
  for (let sequence = 1; sequence <= 5; sequence++) await log.append(payloadOf(sequence));
  const [path = "", bytes = new Uint8Array(0)] =
    [...memory.contents()].find(([name]) => name.endsWith(".seg")) ?? [];
  for (let cut = 64; cut <= bytes.length; cut++) {
    const files = memoryFiles();
    files.put(path, bytes.subarray(0, cut));
    const reopened = await openLog(files);
    const kept = reopened.last;
    expect(reopened.recovered.tornBytes).toBe(Math.max(0, cut - 64 - wholeBytes(kept)));
    expect(await reopened.append(text("next"))).toBe(kept + 1);
    const segments = (await files.list("log")).filter((name) => name.endsWith(".seg")).length;
    expect(segments).toBe(cut === 64 + wholeBytes(kept) || kept === 0 ? 1 : 2);
    const { order, gaps } = await readAll(await openLog(files));
    expect({ order, gaps }).toEqual({ order: Array.from({ length: kept + 1 }, (_, at) => at + 1), gaps: [] });
  }
}, 30_000);
function wholeBytes(count: number): number {
  let bytes = 0;
  for (let sequence = 1; sequence <= count; sequence++)
    bytes += Math.ceil((32 + payloadOf(sequence).length) / 8) * 8;
  return bytes;
}

test("opening reads one segment's records and one header, however many segments there are [durable-log-4.3]", async () => {
  const readsWith = async (records: number) => {
    const memory = memoryFiles();
    const log = await openLog(memory, { segmentBytes: 1024 });
    for (let sequence = 1; sequence <= records; sequence++) await log.append(payloadOf(sequence));
    let reads = 0;
    let opens = 0;
    const counted = faulty(memory, (operation) => {
      if (operation === "read") reads++;
      if (operation === "open") opens++;
      return undefined;
    });
    expect((await openLog(counted, { segmentBytes: 1024 })).last).toBe(records);
    const segments = (await memory.list("log")).length;
    return { reads, opens, segments };
  };
  const few = await readsWith(30);
  const many = await readsWith(1500);
  expect(many.segments).toBeGreaterThan(30 * few.segments);
  expect(few).toMatchObject({ reads: 2, opens: 2 });
  expect(many).toMatchObject({ reads: 2, opens: 2 });
});

test("a sealed segment is verified when it is read, and not before [durable-log-3.4]", async () => {
  const memory = memoryFiles();
  const written = await openLog(memory, { segmentBytes: 1024 });
  for (let sequence = 1; sequence <= 100; sequence++) await written.append(payloadOf(sequence));
  const opened: string[] = [];
  const log = await openLog(
    faulty(memory, (operation, path) => (operation === "open" ? (opened.push(path), undefined) : undefined)),
    { segmentBytes: 1024 },
  );
  opened.length = 0;
  const second = Number((await memory.list("log"))[1]?.slice(0, 20));
  await log.append(text("more"));
  for await (const { records } of log.read(1, second)) expect(records.length).toBeGreaterThan(0);
  const segments = opened.filter((path) => path.endsWith(".seg"));
  expect(segments).toEqual([1, second].map((first) => `log/${String(first).padStart(20, "0")}.seg`));
});

test("a reserved number is never given again, even if its record is lost [durable-log-3.3]", async () => {
  const memory = memoryFiles();
  const log = await openLog(memory);
  for (let sequence = 1; sequence <= 9; sequence++) await log.append(payloadOf(sequence));
  const cursor = await log.cursor("up");
  await cursor.reserve(7);
  await cursor.advance(4);
  for (const name of await memory.list("log")) if (name.endsWith(".seg")) await memory.remove(`log/${name}`);
  const reopened = await openLog(memory);
  expect(reopened.epoch).toBe(log.epoch);
  expect(await reopened.append(text("next"))).toBe(8);
  expect((await readAll(reopened, 5)).gaps).toEqual([{ first: 5, last: 7 }]);
});

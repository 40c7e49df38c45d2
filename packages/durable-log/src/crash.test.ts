import { SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { crashState, type Fate, recordedFiles } from "./crash-files.ts";
import { openLog, readAll, text } from "./log.fixture.ts";
import { memoryFiles } from "./memory-files.ts";

const SEGMENT_BYTES = 1024;
const RECORDS = 240;

interface Promised {
  readonly at: number;
  readonly acknowledged: number;
  readonly done: number;
  readonly reserved: number;
}

/** A run of appends alone and in groups, cursor moves and freeing; what was promised to whom by which event. */
async function scriptedRun() {
  const { files, events } = recordedFiles();
  const promises: Promised[] = [{ at: 0, acknowledged: 0, done: 0, reserved: 0 }];
  const random = new SeededRandom("scripted run");
  const log = await openLog(files, { segmentBytes: SEGMENT_BYTES });
  const cursor = await log.cursor("up");
  let appended = 0;
  const promise = (): void => {
    promises.push({
      at: events.length,
      acknowledged: log.last,
      done: cursor.done,
      reserved: cursor.reserved,
    });
  };
  while (appended < RECORDS) {
    const group = Array.from({ length: 1 + random.below(4) }, () => {
      appended++;
      return log.append(payloadOf(appended));
    });
    await Promise.all(group);
    promise();
    if (random.next() < 0.2) {
      await cursor.reserve(log.last);
      promise();
      await cursor.advance(log.last - random.below(log.last - cursor.done));
      promise();
      await log.free();
    }
  }
  return { events, promises, appended, epoch: log.epoch };
}
const contentOf = (sequence: number): string => `${sequence}:${"x".repeat((sequence * 37) % 150)}`;
const payloadOf = (sequence: number): Uint8Array => text(contentOf(sequence));
const run = await scriptedRun();

test("every prefix, with unsynced writes kept, dropped, torn and reordered, keeps what was promised [durable-log-4.1] [durable-log-3.2]", async () => {
  const random = new SeededRandom("fates");
  const fates: Fate[] = ["kept", "dropped", "chance", "chance"];
  let states = 0;
  for (let length = 0; length <= run.events.length; length++) {
    const promised = run.promises.findLast(({ at }) => at <= length);
    if (promised === undefined) throw new Error("the run promises nothing at its start");
    const later = run.promises.find(({ at }) => at >= length) ?? promised;
    for (const fate of fates) {
      const files = crashState(run.events, length, fate, random);
      const log = await openLog(files, { segmentBytes: SEGMENT_BYTES });
      const cursor = await log.cursor("up");
      states++;
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
  expect(run.appended).toBeGreaterThanOrEqual(RECORDS);
  expect(states).toBeGreaterThan(2000);
}, 60_000);

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

test("opening reads one segment's records, however many there are [durable-log-4.3]", async () => {
  const memory = memoryFiles();
  const log = await openLog(memory, { segmentBytes: SEGMENT_BYTES });
  for (let sequence = 1; sequence <= 500; sequence++) await log.append(payloadOf(sequence));
  let bytesRead = 0;
  const counted = {
    ...memory,
    open: async (path: string, mode: "read" | "write" | "create" | "exclusive") => {
      const file = await memory.open(path, mode);
      return {
        ...file,
        read: async (position: number, lengthBytes: number) => {
          const bytes = await file.read(position, lengthBytes);
          bytesRead += bytes.length;
          return bytes;
        },
      };
    },
  };
  expect((await openLog(counted, { segmentBytes: SEGMENT_BYTES })).last).toBe(500);
  expect(memory.usedBytes()).toBeGreaterThan(20 * SEGMENT_BYTES);
  expect(bytesRead).toBeLessThan(2 * SEGMENT_BYTES);
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

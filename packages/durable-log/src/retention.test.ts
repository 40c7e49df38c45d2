import { describe, expect, test } from "vitest";
import { faulty, openLog, readAll, text } from "./log.fixture.ts";
import { memoryFiles } from "./memory-files.ts";
import type { Loss } from "./options.ts";

const names = async (files: ReturnType<typeof memoryFiles>): Promise<number[]> =>
  (await files.list("log")).filter((name) => name.endsWith(".seg")).map((name) => Number(name.slice(0, 20)));
const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, at) => first + at);

test("what every cursor has passed goes first, and is nobody's loss [durable-log-2.5]", async () => {
  const losses: Loss[] = [];
  const log = await openLog(memoryFiles(), {
    segmentBytes: 1024,
    capBytes: 4000,
    whenFull: "overwrite-oldest",
    onOverwritten: (loss) => losses.push(loss),
  });
  const cursor = await log.cursor("up");
  for (let at = 1; at <= 400; at++) {
    await log.append(text(`record ${at}`));
    // The reader keeps up until 300, without ever freeing.
    if (at <= 300 && at % 10 === 5) await cursor.advance(at);
  }
  expect(losses[0]?.first).toBe(296);
  expect(log.givenUp).toEqual({ overwritten: log.first - 296, thinned: 0, expired: 0 });
  expect(losses.reduce((sum, { records }) => sum + records, 0)).toBe(log.first - 296);
});

describe("time to live", () => {
  test("a segment goes when its newest record is too old, no sooner, and is counted [durable-log-2.6]", async () => {
    let now = 0;
    const memory = memoryFiles();
    const expired: Loss[] = [];
    const options = {
      segmentBytes: 1024,
      ttlMs: 1000,
      clock: { now: () => now },
      onExpired: (loss: Loss) => expired.push(loss),
    };
    let log = await openLog(memory, options);
    for (; now < 1000; now += 10) await log.append(text(`at ${now}`));
    const segments = await names(memory);
    const second = segments[1] ?? 0;
    // The first segment's newest record is the one before the second's first.
    const newestMs = (second - 2) * 10;
    now = newestMs + 1000;
    await log.tend();
    expect(log.first).toBe(1);
    // A restart knows no times: they are read.
    await log.close();
    log = await openLog(memory, options);
    await log.tend();
    expect(log.first).toBe(1);
    now += 1;
    await log.tend();
    expect(log.first).toBe(second);
    expect(expired).toEqual([{ first: 1, last: second - 1, records: second - 1 }]);
    now = 1_000_000;
    await log.tend();
    expect(log.first).toBe(101);
    expect(log.givenUp.expired).toBe(100);
    expect(await readAll(log)).toMatchObject({ order: [], gaps: [{ first: 1, last: 100 }] });
    expect(await log.append(text("next"))).toBe(101);
  });

  test("what outlived its time makes room before anything is refused [durable-log-2.6]", async () => {
    let now = 0;
    const log = await openLog(memoryFiles(), {
      segmentBytes: 1024,
      capBytes: 3000,
      ttlMs: 1000,
      clock: { now: () => now },
    });
    for (; now < 10_000; now += 50) await log.append(text(`at ${now}`));
    expect(log.last).toBe(200);
    expect(log.givenUp.expired).toBe(log.first - 1);
    expect(log.first).toBeGreaterThan(100);
  });
});

describe("downsampling", () => {
  // Every tenth reading stays, and every alarm.
  const isAlarm = (at: number): boolean => at % 37 === 0;
  const keep = (record: { payload: Uint8Array }, index: number): boolean =>
    new TextDecoder().decode(record.payload).startsWith("alarm") || index % 10 === 0;
  const payloadOf = (at: number): Uint8Array =>
    text(`${isAlarm(at) ? "alarm" : "reading"} ${at} ${"v".repeat(60)}`);

  test("the oldest segments are thinned out once, then given up, all of it counted [durable-log-2.7]", async () => {
    const memory = memoryFiles();
    const lost: Loss[] = [];
    const gone: Loss[] = [];
    const options = {
      segmentBytes: 4096,
      capBytes: 40_000,
      whenFull: "downsample-oldest",
      keep,
      onThinned: (loss: Loss) => lost.push(loss),
      onOverwritten: (loss: Loss) => gone.push(loss),
    } as const;
    let log = await openLog(memory, options);
    for (let at = 1; at <= 1500; at++) await log.append(payloadOf(at));
    expect(log.sizeBytes).toBeLessThanOrEqual(40_000);
    expect(gone).toEqual([]);
    const { order, gaps } = await readAll(log);
    expect(range(1, 1500).filter((at) => isAlarm(at) && !order.includes(at))).toEqual([]);
    const missing = gaps.flatMap(({ first, last }) => range(first, last));
    expect([...order, ...missing].sort((a, b) => a - b)).toEqual(range(1, 1500));
    expect(missing).toHaveLength(log.givenUp.thinned);
    expect(lost.reduce((sum, { records }) => sum + records, 0)).toBe(missing.length);

    // A restart knows what was thinned already, and a reader finds nothing damaged in it.
    await log.close();
    const damaged: unknown[] = [];
    log = await openLog(memory, { ...options, onDamaged: (damage) => damaged.push(damage) });
    expect((await readAll(log)).order).toEqual(order);
    expect(damaged).toEqual([]);
    for (let at = 1501; at <= 6000; at++) await log.append(payloadOf(at));
    expect(log.sizeBytes).toBeLessThanOrEqual(40_000);
    expect(gone.length).toBeGreaterThan(0);
    const left = await readAll(log);
    const all = left.order.length + missing.length + log.givenUp.thinned + log.givenUp.overwritten;
    expect(all).toBe(6000);
  });

  test("without room to thin, the oldest segment is given up [durable-log-2.7]", async () => {
    const memory = memoryFiles();
    let isFull = false;
    const files = faulty(memory, (operation, path) =>
      isFull && operation === "write" && path.endsWith("00000000000000000001.seg.new") ? "ENOSPC" : undefined,
    );
    const log = await openLog(files, {
      segmentBytes: 4096,
      capBytes: 12_000,
      whenFull: "downsample-oldest",
      keep,
    });
    isFull = true;
    for (let at = 1; at <= 100; at++) {
      if (at === 1) isFull = false;
      await log.append(payloadOf(at));
      isFull = true;
    }
    expect(log.first).toBeGreaterThan(1);
    expect(log.givenUp.overwritten).toBeGreaterThan(0);
    expect(log.last).toBe(100);
  });

  test("a reader in the middle of a segment that is thinned reads on without a number too many or too few [durable-log-2.7]", async () => {
    const memory = memoryFiles();
    const log = await openLog(memory, {
      segmentBytes: 4096,
      capBytes: 12_000,
      whenFull: "downsample-oldest",
      keep,
    });
    for (let at = 1; at <= 60; at++) await log.append(payloadOf(at));
    const told: number[] = [];
    const take = async (from: number, to: number): Promise<void> => {
      for await (const { records, gaps } of log.read(from, to))
        told.push(
          ...records.map(({ sequence }) => sequence),
          ...gaps.flatMap(({ first, last }) => range(first, last)),
        );
    };
    await take(1, 7);
    for (let at = 61; at <= 200; at++) await log.append(payloadOf(at));
    expect(log.givenUp.thinned).toBeGreaterThan(0);
    await take(8, 200);
    expect(told.sort((a, b) => a - b)).toEqual(range(1, 200));
  });
});

test("a segment is sealed at its age, with the next commit or when the log is tended [durable-log-2.8]", async () => {
  let now = 0;
  const memory = memoryFiles();
  const log = await openLog(memory, { sealAfterMs: 60_000, clock: { now: () => now } });
  await log.append(text("one"));
  now = 59_999;
  await log.append(text("two"));
  await log.tend();
  expect(await names(memory)).toEqual([1]);
  now = 60_000;
  await log.append(text("three"));
  expect(await names(memory)).toEqual([1, 3]);
  now = 120_000;
  const before = memory.usedBytes();
  await log.tend();
  expect(memory.usedBytes()).toBeGreaterThan(before);
  await log.tend();
  await log.append(text("four"));
  expect(await names(memory)).toEqual([1, 3, 4]);
  expect((await readAll(await openLog(memory))).order).toEqual([1, 2, 3, 4]);
});

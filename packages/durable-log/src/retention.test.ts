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
    expect(expired).toMatchObject([{ first: 1, last: second - 1, records: second - 1 }]);
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

test("what a clock that was not set stamped has no age: it goes with what is behind it, not alone [durable-log-2.10]", async () => {
  const unset = 5000;
  let now = unset;
  const expired: Loss[] = [];
  const log = await openLog(memoryFiles(), {
    segmentBytes: 1024,
    ttlMs: 1000,
    agesFromMs: 1_000_000,
    clock: { now: () => now },
    onExpired: (loss) => expired.push(loss),
  });
  for (let at = 1; at <= 60; at++) await log.append(text(`before ${at}`));
  now = 9_000_000;
  await log.tend();
  expect(log.first).toBe(1);
  for (let at = 61; at <= 120; at++) await log.append(text(`after ${at}`));
  now += 1000;
  await log.tend();
  expect([log.first, expired]).toEqual([1, []]);
  now += 1;
  await log.tend();
  expect(log.first).toBe(121);
  expect(expired.reduce((sum, { records }) => sum + records, 0)).toBe(120);
});

describe("weighing", () => {
  const weigh = ({ payload }: { payload: Uint8Array }): number => payload.length;
  const sizeOf = (at: number): number => 10 + (at % 7);
  const payload = (at: number): Uint8Array => new Uint8Array(sizeOf(at)).fill(at);
  const whole = (losses: readonly Loss[]): [number, number][] =>
    losses.flatMap(({ weighed }) =>
      weighed.map(({ sequence, weight }): [number, number] => [sequence, weight]),
    );

  test("what is given up is told record by record, whatever the cause [durable-log-2.9]", async () => {
    let now = 0;
    const causes = { overwritten: [] as Loss[], thinned: [] as Loss[], expired: [] as Loss[] };
    const log = await openLog(memoryFiles(), {
      segmentBytes: 2048,
      capBytes: 10_000,
      whenFull: "downsample-oldest",
      keep: (_record, index) => index % 4 === 0,
      weigh,
      clock: { now: () => now },
      onOverwritten: (loss) => causes.overwritten.push(loss),
      onThinned: (loss) => causes.thinned.push(loss),
      onExpired: (loss) => causes.expired.push(loss),
    });
    // What a reader is done with is nobody's loss, in the middle of a segment too.
    await (await log.cursor("up")).advance(0);
    for (let at = 1; at <= 2000; at++) {
      await log.append(payload(at));
      if (at === 30) await (await log.cursor("up")).advance(30);
    }
    log.configure({ ttlMs: 10 });
    now = 11;
    await log.tend();
    for (const cause of ["overwritten", "thinned", "expired"] as const) {
      expect(log.givenUp[cause]).toBeGreaterThan(0);
      expect(whole(causes[cause])).toHaveLength(log.givenUp[cause]);
      for (const { records, weighed } of causes[cause]) expect(weighed).toHaveLength(records);
    }
    const all = whole([...causes.overwritten, ...causes.thinned, ...causes.expired]);
    expect(all.filter(([sequence, weight]) => weight !== sizeOf(sequence))).toEqual([]);
    expect(all.map(([sequence]) => sequence).sort((a, b) => a - b)).toEqual(range(31, 2000));
  });

  test("records that cannot be opened are counted, and weigh nothing [durable-log-2.9]", async () => {
    const memory = memoryFiles();
    const keys = { current: 1, known: new Map([[1, new Uint8Array(32).fill(1)]]) };
    const first = await openLog(memory, { segmentBytes: 1024, keys });
    for (let at = 1; at <= 60; at++) await first.append(payload(at));
    await first.close();
    const lost: Loss[] = [];
    const log = await openLog(memory, {
      segmentBytes: 1024,
      capBytes: 6000,
      whenFull: "overwrite-oldest",
      weigh,
      onOverwritten: (loss) => lost.push(loss),
    });
    for (let at = 61; at <= 400; at++) await log.append(payload(at));
    expect(lost.reduce((sum, { records }) => sum + records, 0)).toBe(log.first - 1);
    expect(whole(lost).map(([sequence]) => sequence)).toEqual(range(61, log.first - 1));
  });

  test("a disk that cannot be read does not keep the oldest from going [durable-log-2.9]", async () => {
    let isBroken = false;
    const files = faulty(memoryFiles(), (operation) =>
      isBroken && operation === "read" ? "EIO" : undefined,
    );
    const lost: Loss[] = [];
    const log = await openLog(files, {
      segmentBytes: 1024,
      capBytes: 4000,
      whenFull: "overwrite-oldest",
      weigh,
      onOverwritten: (loss) => lost.push(loss),
    });
    await log.append(payload(1));
    isBroken = true;
    for (let at = 2; at <= 300; at++) await log.append(payload(at));
    expect(lost.length).toBeGreaterThan(2);
    expect(whole(lost)).toEqual([]);
  });
});

describe("downsampling", () => {
  test("a reader is told what thinning took, apart from what damage took [durable-log-3.5]", async () => {
    const memory = memoryFiles();
    const log = await openLog(memory, {
      segmentBytes: 1024,
      capBytes: 5000,
      whenFull: "downsample-oldest",
      keep: (_record, index) => index % 5 === 0,
    });
    for (let at = 1; log.givenUp.thinned < 40; at++) await log.append(text(`record ${at}`));
    const before = await readAll(log);
    expect(before.gaps.every(({ isThinned }) => isThinned === true)).toBe(true);
    const kept = before.order.slice(0, 3);
    await log.close();
    // Damage to the second record that stayed.
    const path = `log/${"1".padStart(20, "0")}.seg`;
    const bytes = new Uint8Array(memory.contents().get(path) ?? []);
    const frame = 64 + (bytes.length > 64 ? Math.ceil((32 + "record 1".length) / 8) * 8 : 0);
    bytes[frame + 33] = (bytes[frame + 33] ?? 0) ^ 1;
    memory.put(path, bytes);
    const { order, gaps } = await readAll(await openLog(memory, { segmentBytes: 1024 }));
    expect(order.includes(kept[1] ?? 0)).toBe(false);
    const around = gaps.filter(({ first, last }) => first <= (kept[1] ?? 0) && last >= (kept[1] ?? 0));
    expect(around).toHaveLength(1);
    expect(around[0]?.isThinned).toBeUndefined();
    expect(gaps.filter((gap) => gap !== around[0]).every(({ isThinned }) => isThinned === true)).toBe(true);
    // In the middle of a segment it is told as well.
    const half = await readAll(await openLog(memory, { segmentBytes: 1024 }), (kept[2] ?? 0) + 1);
    expect(half.gaps.every(({ isThinned }) => isThinned === true)).toBe(true);
  });

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

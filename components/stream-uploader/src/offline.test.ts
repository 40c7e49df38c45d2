import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Measurement } from "@coalmine/contract";
import { memoryFiles } from "@coalmine/durable-log";
import { expect, test } from "vitest";
import { curve, Device, nameOf } from "./device.fixture.ts";
import { rowName } from "./publisher.fixture.ts";

const isLong = process.env["COALMINE_LONG"] === "1";
const MiB = 2 ** 20;
const SECOND_MS = 1000;
const DAY_MS = 86_400 * SECOND_MS;
const BATCH_POINTS = 500;
const BATCH_POINTS_MAX = 5000;
/**
 * 100 Hz on 8 channels are 70 GB a month, on 2 GiB: 34 times as much as fits. The long form keeps that proportion; the
 * short one is a week that fills its disk once and a half.
 */
const scale = isLong
  ? { days: 30, everyMs: 240 * SECOND_MS, limitBytes: 5.5 * MiB, firstAlarmDay: 0.5 }
  : { days: 7, everyMs: 2520 * SECOND_MS, limitBytes: 4 * MiB, firstAlarmDay: 5.9 };
const BYTES_PER_SECOND = 1500;
const SEGMENT_BYTES = MiB;
const FLOOR_BYTES = 2 * MiB;
const MEMORY_GROWTH_BYTES_MAX = 24 * MiB;

const alarm = (sequence: number): Measurement[] =>
  curve(2, sequence, 1).map((point) => ({ ...point, channel: "pressure-alarm" }));

/** First and last of each run of numbers without a hole. */
function runsOf(numbers: readonly number[]): number[][] {
  const runs: number[][] = [];
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run?.[1] === number - 1) run[1] = number;
    else runs.push([number, number]);
  }
  return runs;
}

setFlagsFromString("--expose-gc");
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the flag adds
const collectGarbage = runInNewContext("gc") as () => void;
function memoryBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test(
  "weeks without network: the disk within its limits, alarms kept and first, then the backlog at the cap's speed",
  async () => {
    const disk = memoryFiles({ capacityBytes: scale.limitBytes + 2 * SEGMENT_BYTES + FLOOR_BYTES });
    const device = new Device("offline", disk);
    device.configuration = {
      diskLimitBytes: scale.limitBytes,
      diskFreeFloorBytes: FLOOR_BYTES,
      whenFull: "overwrite-oldest",
      batchPointsMax: BATCH_POINTS_MAX,
      healthIntervalSeconds: 600,
      alarms: { channels: ["pressure-alarm"] },
      bandwidth: { bytesPerSecond: BYTES_PER_SECOND },
    };
    const freeAtFirst = await disk.freeBytes();
    device.bucket.trouble = () => ({ code: "NetworkError", isStored: false });
    await device.start();

    const alarms: string[] = [];
    let batches = 0;
    let memoryEarly = 0;
    let usedMost = 0;
    let freeLeast = Infinity;
    const untilMs = device.clock.now() + scale.days * DAY_MS;
    let nextAlarmMs = device.clock.now() + scale.firstAlarmDay * DAY_MS;
    while (device.clock.now() < untilMs) {
      device.publishBatch(`b-${batches}`, curve(1, 1 + batches * BATCH_POINTS, BATCH_POINTS));
      batches++;
      if (device.clock.now() >= nextAlarmMs) {
        nextAlarmMs += DAY_MS;
        const points = alarm(alarms.length + 1);
        alarms.push(...points.map(nameOf));
        device.publishBatch(`alarm-${alarms.length}`, points);
      }
      await device.run(scale.everyMs);
      const freeBytes = await disk.freeBytes();
      usedMost = Math.max(usedMost, freeAtFirst - freeBytes);
      freeLeast = Math.min(freeLeast, freeBytes);
      // What the test itself remembers.
      device.logged.length = 0;
      device.bucket.attempts.length = 0;
      device.heartbeats.splice(0, device.heartbeats.length - 1);
      if (memoryEarly === 0 && device.clock.now() > untilMs - (scale.days / 2) * DAY_MS)
        memoryEarly = memoryBytes();
      // Others fill the disk half way: from then on the floor is the limit.
      if (batches === Math.round((scale.days * DAY_MS) / scale.everyMs / 2))
        disk.put("of-others", new Uint8Array(2.5 * MiB));
    }
    const memoryGrowth = memoryBytes() - memoryEarly;
    expect(device.acknowledged.size).toBe(batches + alarms.length);
    expect(usedMost).toBeLessThanOrEqual(scale.limitBytes + SEGMENT_BYTES + 2.5 * MiB);
    expect(freeLeast).toBeGreaterThanOrEqual(FLOOR_BYTES);
    expect(memoryGrowth).toBeLessThan(MEMORY_GROWTH_BYTES_MAX);
    const before = device.heartbeats.at(-1)?.components[0];
    expect(before?.counters["overwrittenRecords"]).toBeGreaterThan(20);
    expect(before?.gauges["logBytes"]).toBeLessThanOrEqual(scale.limitBytes);

    device.bucket.trouble = () => undefined;
    const reconnectedMs = device.clock.now();
    await device.run(5 * SECOND_MS);
    const first = (await device.bucket.rows()).map(rowName);
    expect(first.filter((name) => alarms.includes(name)).length).toBeGreaterThan(0);

    const isDrained = (): boolean => device.heartbeats.at(-1)?.components[0]?.gauges["backlogPoints"] === 0;
    const bytesOf = (): number =>
      [...device.bucket.stored.values()].reduce((sum, { length }) => sum + length, 0);
    // Until the last full batch; what is collected since waits for its hour.
    let drainedMs = device.clock.now();
    let drainedBytes = bytesOf();
    for (let quietMs = 0; quietMs < 120 * SECOND_MS;) {
      await device.run(5 * SECOND_MS);
      const bytes = bytesOf();
      quietMs = bytes > drainedBytes ? 0 : quietMs + 5 * SECOND_MS;
      if (bytes > drainedBytes) drainedMs = device.clock.now();
      drainedBytes = bytes;
    }
    const share = drainedBytes / ((drainedMs - reconnectedMs) / 1000) / BYTES_PER_SECOND;
    expect(share).toBeGreaterThanOrEqual(0.9);
    await device.run(2 * 3600 * SECOND_MS);
    expect(isDrained()).toBe(true);

    // All alarms, what was under way from the first on, and the newest readings without a hole, each once.
    const names = (await device.bucket.rows()).map(rowName);
    expect(new Set(names).size).toBe(names.length);
    const runs = runsOf(
      names.filter((name) => !alarms.includes(name)).map((name) => Number(name.split("/")[2])),
    );
    const [underWay = [], newest = []] = runs;
    expect(runs).toHaveLength(2);
    expect(underWay[0]).toBe(1);
    expect(underWay[1]).toBeLessThanOrEqual(BATCH_POINTS_MAX);
    expect(newest[1]).toBe(batches * BATCH_POINTS);
    expect(names).toEqual(expect.arrayContaining(alarms));
    const kept = names.length - alarms.length;
    const { counters = {} } = device.heartbeats.at(-1)?.components[0] ?? {};
    expect(counters["lake.planned"]).toBe((counters["lake.sent"] ?? 0) + (counters["lake.givenUp"] ?? 0));
    expect(counters["durable"]).toBe(batches * BATCH_POINTS + alarms.length);
    if (isLong)
      console.log(
        `${batches * BATCH_POINTS} points, ${kept} kept; ${alarms.length} alarms; memory grew ${Math.round(memoryGrowth / 1024)} KiB; drained at ${(100 * share).toFixed(1)} % of the cap`,
      );
  },
  isLong ? 3_600_000 : 120_000,
);

import type { Measurement } from "@coalmine/contract";
import { memoryFiles } from "@coalmine/durable-log";
import { expect, test } from "vitest";
import { curve, Device, nameOf } from "./device.fixture.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const rowName = (row: Record<string, unknown>): string =>
  `${String(row["instrument"])}/${String(row["boot"])}/${String(row["sequence"])}/${String(row["channel"])}`;

async function started(seed: string, configuration: object = {}): Promise<Device> {
  const device = new Device(seed);
  device.configuration = configuration as never;
  await device.start();
  return device;
}
const bad = (first: number, count: number): Measurement[] =>
  curve(1, first, count).map((point) => ({ ...point, quality: { level: "bad", cause: "clogged" } }));
const ranges = (device: Device): string[] =>
  [...device.bucket.stored.keys()].map((key) => /-(\d+-\d+)-v1/.exec(key)?.[1] ?? "");
const own = (device: Device) => device.heartbeats.at(-1)?.components[0];

test("batches end at so many points, so many bytes, at an age, and where the clock passes a window's end", async () => {
  const byPoints = await started("points", { batchPointsMax: 500 });
  for (let batch = 0; batch < 12; batch++)
    byPoints.publishBatch(`b-${batch}`, curve(1, 1 + batch * 100, 100));
  await byPoints.run(1000);
  expect(ranges(byPoints)).toEqual(["1-5", "6-10"]);

  const byBytes = await started("bytes", { batchBytesMax: 65_536 });
  for (let batch = 0; batch < 10; batch++) byBytes.publishBatch(`b-${batch}`, curve(1, 1 + batch * 500, 500));
  await byBytes.run(1000);
  expect(byBytes.bucket.stored.size).toBeGreaterThan(1);

  const byWindow = await started("windows", {
    sinks: { lake: { kind: "s3-parquet", windowSeconds: 900, flushIntervalSeconds: 86_400 } },
  });
  // The device starts at 12:00: one batch each 7 minutes falls into the quarters as 3, 2, 2, 2 and so on.
  for (let batch = 0; batch < 9; batch++) {
    byWindow.publishBatch(`b-${batch}`, curve(1, 1 + batch * 10, 10));
    await byWindow.run(7 * MINUTE_MS);
  }
  expect(ranges(byWindow)).toEqual(["1-3", "4-5", "6-7", "8-9"]);
});

test("what turns bad closes its batch at once and passes the backlog; what stays bad does not hurry again", async () => {
  const device = await started("alarm");
  device.publishBatch("a", curve(1, 1, 20));
  await device.run(1000);
  expect(device.bucket.stored.size).toBe(0);
  device.publishBatch("b", [...curve(1, 21, 5), ...bad(26, 5)]);
  await device.run(1000);
  expect((await device.bucket.rows()).map(rowName).sort()).toEqual(bad(26, 5).map(nameOf).sort());
  device.publishBatch("c", bad(31, 5));
  await device.run(MINUTE_MS);
  expect(await device.bucket.rows()).toHaveLength(5);
  device.publishBatch("d", curve(1, 36, 4));
  device.publishBatch(
    "e",
    bad(40, 1).map((point) => ({ ...point, channel: "apparent-viscosity" })),
  );
  await device.run(1000);
  expect(await device.bucket.rows()).toHaveLength(11);
  await device.run(HOUR_MS);
  expect((await device.bucket.rows()).length).toBe(40);
  expect(device.acknowledged.size).toBe(5);
});

test("channels of alarms are alarms whatever their quality", async () => {
  const device = await started("channel", {
    alarms: { channels: ["casson-yield-stress"], badQuality: false },
  });
  device.publishBatch("a", [...curve(1, 1, 20), ...bad(21, 5)]);
  await device.run(1000);
  expect((await device.bucket.rows()).map(rowName)).toEqual(["rheo-1/1/20/casson-yield-stress"]);
});

test("an alarm passes a backlog under a bandwidth cap, within one batch", async () => {
  const device = await started("passes", {
    batchPointsMax: 500,
    flushIntervalSeconds: 1,
    bandwidth: { bytesPerSecond: 500 },
  });
  for (let batch = 0; batch < 60; batch++) device.publishBatch(`b-${batch}`, curve(1, 1 + batch * 500, 500));
  await device.run(5 * MINUTE_MS);
  const before = device.bucket.stored.size;
  expect(before).toBeLessThan(50);
  device.publishBatch("alarm", bad(60_001, 3));
  await device.run(1000);
  const after = [...device.bucket.stored.keys()];
  expect((await device.bucket.rows()).map(rowName)).toContain("rheo-1/1/60001/apparent-viscosity");
  expect(after.length - before).toBeLessThanOrEqual(2);
  expect(own(device)?.gauges["drainMs"]).toBeGreaterThan(MINUTE_MS);
  await device.run(24 * HOUR_MS);
  expect(await device.bucket.rows()).toHaveLength(30_003);
});

test("a schedule holds readings until the night, and lets alarms go", async () => {
  const device = await started("night", {
    flushIntervalSeconds: 60,
    bandwidth: { schedule: [{ fromUtc: "06:00", toUtc: "22:00", bytesPerSecond: 0 }] },
  });
  device.publishBatch("a", curve(1, 1, 20));
  await device.run(5 * HOUR_MS);
  device.publishBatch("alarm", bad(21, 1));
  await device.run(MINUTE_MS);
  expect(await device.bucket.rows()).toHaveLength(1);
  await device.run(6 * HOUR_MS);
  expect(await device.bucket.rows()).toHaveLength(21);
});

test("newest first: the live view comes at once, the backlog behind it at a share, all of it once, also after kills", async () => {
  const device = await started("newest", {
    batchPointsMax: 500,
    flushIntervalSeconds: 1,
    sinks: { lake: { kind: "s3-parquet", catchUp: "newest-first" } },
  });
  device.bucket.trouble = () => ({ code: "NetworkError", isStored: false });
  for (let batch = 0; batch < 40; batch++) device.publishBatch(`b-${batch}`, curve(1, 1 + batch * 500, 500));
  await device.run(10 * MINUTE_MS);
  let puts = 0;
  device.bucket.trouble = () =>
    ++puts % 3 === 0 ? { code: "InternalError", statusCode: 500, isStored: true } : undefined;
  for (let round = 0; round < 60 && device.bucket.stored.size < 41; round++) {
    await device.run(20_000);
    if (round % 2 === 0) {
      device.kill({ power: true });
      await device.start();
    }
  }
  const order = ranges(device).map((range) => Number(range.split("-")[0]));
  // Apart from the one that was under way, and one in four, from the newest down.
  expect(order.slice(0, 4).filter((first) => first > 30).length).toBeGreaterThanOrEqual(2);
  expect(order.indexOf(1)).toBeLessThan(10);
  await device.run(10 * MINUTE_MS);
  expect((await device.bucket.rows()).map(rowName).sort()).toEqual(curve(1, 1, 20_000).map(nameOf).sort());
  expect(own(device)?.gauges).toMatchObject({ backlogPoints: 0 });
});

test("what outlives its time is given up and counted; a clock that was never set makes nothing old", async () => {
  const device = await started("old", { timeToLiveSeconds: 3600, flushIntervalSeconds: 60 });
  device.bucket.trouble = () => ({ code: "NetworkError", isStored: false });
  device.publishBatch("a", curve(1, 1, 20));
  await device.run(30 * MINUTE_MS);
  device.publishBatch("b", curve(1, 21, 20));
  await device.run(45 * MINUTE_MS);
  device.bucket.trouble = () => undefined;
  await device.run(10 * MINUTE_MS);
  expect((await device.bucket.rows()).map(rowName).sort()).toEqual(curve(1, 21, 20).map(nameOf).sort());
  expect(own(device)?.counters).toMatchObject({
    expiredPoints: 20,
    "lake.planned": 40,
    "lake.sent": 20,
    "lake.givenUp": 20,
  });
});

test("at the limit the oldest are given up, alarms never, and every point is accounted for", async () => {
  const device = await started("overwrite", {
    diskLimitBytes: 4 * 2 ** 20,
    whenFull: "overwrite-oldest",
    batchPointsMax: 5000,
  });
  device.bucket.trouble = () => ({ code: "NetworkError", isStored: false });
  for (let batch = 0; batch < 230; batch++) {
    device.publishBatch(`b-${batch}`, curve(1, 1 + batch * 500, 500));
    if (batch % 50 === 0) device.publishBatch(`alarm-${batch}`, bad(1_000_000 + batch, 1));
    await device.run(1000);
    expect(own(device)?.gauges["logBytes"] ?? 0).toBeLessThanOrEqual(4 * 2 ** 20);
  }
  expect(device.acknowledged.size).toBe(235);
  device.bucket.trouble = () => undefined;
  await device.run(2 * HOUR_MS);
  const names = new Set((await device.bucket.rows()).map(rowName));
  for (let batch = 0; batch < 230; batch += 50)
    expect(names).toContain(bad(1_000_000 + batch, 1).map(nameOf)[0]);
  for (const point of curve(1, 114_501, 500)) expect(names).toContain(nameOf(point));
  const { counters = {}, gauges } = own(device) ?? {};
  expect(counters["overwrittenRecords"]).toBeGreaterThan(20);
  expect(counters["lake.planned"]).toBe(115_005);
  expect(counters["lake.sent"]).toBe(names.size);
  expect(counters["lake.planned"]).toBe((counters["lake.sent"] ?? 0) + (counters["lake.givenUp"] ?? 0));
  expect(gauges).toMatchObject({ backlogPoints: 0, backlogBytes: 0 });
}, 60_000);

test("the disk's floor is held for readings, and alarms may go below it", async () => {
  const disk = memoryFiles({ capacityBytes: 3_000_000 });
  const device = new Device("floor", disk);
  device.configuration = { diskFreeFloorBytes: 1_000_000 };
  await device.start();
  device.bucket.trouble = () => ({ code: "NetworkError", isStored: false });
  for (let batch = 0; batch < 200; batch++) {
    device.publishBatch(`b-${batch}`, curve(1, 1 + batch * 500, 500));
    await device.run(100);
    expect(await disk.freeBytes()).toBeGreaterThan(1_000_000 - 100_000);
  }
  const stored = device.acknowledged.size;
  expect(stored).toBeGreaterThan(50);
  expect(stored).toBeLessThan(200);
  // Others take room too: what waits is kept, and only alarms are taken on.
  disk.put("of-others", new Uint8Array(500_000));
  device.publishBatch("reading", curve(1, 1_000_001, 10));
  device.publishBatch("alarm", bad(2_000_000, 10));
  await device.run(100);
  expect(device.acknowledged.has("reading")).toBe(false);
  expect(device.acknowledged.has("alarm")).toBe(true);
  device.bucket.trouble = () => undefined;
  await device.run(2 * HOUR_MS);
  expect(await device.bucket.rows()).toHaveLength(stored * 500 + 10);
}, 30_000);

test("stopping ends within its patience though a sink never answers, and the rest is there after the next start", async () => {
  const device = await started("patience", { flushIntervalSeconds: 1 });
  device.bucket.hold = true;
  device.publishBatch("a", curve(1, 1, 20));
  await device.run(10_000);
  const patience = new AbortController();
  device.clock.timer(10_000, () => patience.abort());
  let isStopped = false;
  const stopping = device.stop(patience.signal).then(() => (isStopped = true));
  device.publishBatch("late", curve(1, 21, 20));
  await device.run(9000);
  expect(isStopped).toBe(false);
  await device.run(2000);
  await stopping;
  device.bucket.hold = false;
  await device.start();
  await device.run(MINUTE_MS);
  expect((await device.bucket.rows()).map(rowName).sort()).toEqual(curve(1, 1, 20).map(nameOf).sort());
});

import { memoryFiles } from "@coalmine/durable-log";
import { expect, test } from "vitest";
import { curve, Device, nameOf } from "./device.fixture.ts";
import { rowName } from "./publisher.fixture.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const MiB = 2 ** 20;
const offline = () => ({ code: "NetworkError", isStored: false });

async function started(seed: string, configuration: object, disk = memoryFiles()): Promise<Device> {
  const device = new Device(seed, disk);
  device.configuration = configuration as never;
  await device.start();
  return device;
}
const own = (device: Device) => device.heartbeats.at(-1)?.components[0];
const names = async (device: Device): Promise<string[]> => (await device.bucket.rows()).map(rowName).sort();
const raw = (first: number, count: number) =>
  curve(1, first, count).map((point) => {
    const bare = { ...point, channel: "apparent-viscosity" };
    delete bare.derivation;
    return bare;
  });

/** All that came in is somewhere: sent, waiting, put aside, or given up for a cause that has a name. */
function expectSums(device: Device, sinks: readonly string[]): void {
  const { counters = {}, gauges = {} } = own(device) ?? {};
  const of = (name: string): number => counters[name] ?? gauges[name] ?? 0;
  expect(of("received")).toBe(of("durable") + of("duplicates") + of("refused"));
  for (const sink of sinks)
    expect(of(`${sink}.planned`)).toBe(
      of(`${sink}.sent`) + of(`${sink}.quarantined`) + of(`${sink}.givenUp`) + of(`${sink}.backlogPoints`),
    );
  expect(sinks.reduce((sum, sink) => sum + of(`${sink}.givenUp`), 0)).toBe(
    of("expiredPoints") +
      of("overwrittenPoints") +
      of("downsampledPoints") +
      of("droppedPoints") +
      of("lostPoints"),
  );
}

test.each(["without", "with"])(
  "on a full disk the oldest readings are thinned out, results of models kept, all accounted for, %s a restart",
  async (restart) => {
    const disk = memoryFiles({ capacityBytes: 6 * MiB });
    const device = await started(
      `thinned ${restart}`,
      { whenFull: "downsample-oldest", downsampleKeepOneIn: 5, batchPointsMax: 5000 },
      disk,
    );
    device.bucket.trouble = offline;
    const results: string[] = [];
    for (let batch = 0; batch < 330; batch++) {
      device.publishBatch(`b-${batch}`, raw(1 + batch * 500, 500));
      const [result] = curve(2, 20 * (1 + batch), 1);
      if (batch % 10 === 0 && result !== undefined) {
        device.publishBatch(`result-${batch}`, [result]);
        results.push(nameOf(result));
      }
      await device.run(1000);
      expect(await disk.freeBytes()).toBeGreaterThan(MiB);
    }
    expect(device.acknowledged.size).toBe(363);
    await device.run(MINUTE_MS);
    expectSums(device, ["lake"]);
    const before = own(device)?.counters ?? {};
    expect(before["downsampledPoints"]).toBeGreaterThan(20_000);
    expect(before).toMatchObject({ overwrittenPoints: 0, lostPoints: 0, lostRecords: 0 });
    if (restart === "with") {
      device.kill({ power: true });
      await device.start();
    }
    device.bucket.trouble = () => undefined;
    await device.run(2 * HOUR_MS);
    expectSums(device, ["lake"]);
    const { counters = {}, gauges } = own(device) ?? {};
    // What was thinned out is known to be, after a restart too: nothing of it counts as damage.
    expect(counters).toMatchObject({ lostRecords: 0 });
    expect(gauges).toMatchObject({ backlogPoints: 0 });
    const kept = await names(device);
    expect(new Set(kept).size).toBe(kept.length);
    expect(kept).toEqual(expect.arrayContaining(results));
    if (restart === "without") expect(kept).toHaveLength(165_033 - (counters["downsampledPoints"] ?? 0));
  },
  120_000,
);

test("the oldest that is overwritten is named in points, for each sink that had not got it", async () => {
  const device = await started("overwritten", {
    whenFull: "overwrite-oldest",
    diskLimitBytes: 4 * MiB,
    sinks: {
      lake: { kind: "s3-parquet", batchPointsMax: 500_000, batchBytesMax: 64 * MiB },
      live: { kind: "kinesis", streamName: "live", flushIntervalSeconds: 1 },
    },
  });
  device.bucket.trouble = offline;
  for (let batch = 0; batch < 330; batch++) {
    device.publishBatch(`b-${batch}`, raw(1 + batch * 500, 500));
    await device.run(1000);
  }
  await device.run(MINUTE_MS);
  expectSums(device, ["lake", "live"]);
  const { counters = {} } = own(device) ?? {};
  expect(counters["overwrittenPoints"]).toBeGreaterThan(10_000);
  // Though all of it is one upload that is still being collected: records are of 500 points each.
  expect(counters["overwrittenPoints"]).toBe((counters["overwrittenRecords"] ?? 0) * 500);
  expect(counters).toMatchObject({ "live.sent": 165_000, "live.givenUp": 0, lostPoints: 0 });
}, 60_000);

test("what outlives its time goes from the disk although no sink answers, and sealing by age keeps segments small", async () => {
  const device = await started("old", {
    timeToLiveSeconds: 3600,
    sealAfterSeconds: 600,
    flushIntervalSeconds: 60,
  });
  device.bucket.trouble = offline;
  const segments = async (): Promise<number> =>
    (await device.disk.list("log")).filter((name) => name.endsWith(".seg")).length;
  for (let batch = 0; batch < 12; batch++) {
    device.publishBatch(`b-${batch}`, raw(1 + batch * 20, 20));
    await device.run(15 * MINUTE_MS);
  }
  // Three hours, of which one is kept.
  expect(await segments()).toBeLessThanOrEqual(6);
  expect(await segments()).toBeGreaterThanOrEqual(4);
  await device.run(2 * MINUTE_MS);
  expectSums(device, ["lake"]);
  expect(own(device)?.counters["expiredPoints"]).toBeGreaterThanOrEqual(5 * 20);
  device.bucket.trouble = () => undefined;
  await device.run(5 * MINUTE_MS);
  expectSums(device, ["lake"]);
  // What was under way when it grew too old may arrive; what was given up did not.
  const { expiredPoints = 0 } = own(device)?.counters ?? {};
  const arrived = await names(device);
  expect(arrived).toHaveLength(240 - expiredPoints);
  expect(arrived).toEqual(expect.arrayContaining(raw(181, 60).map(nameOf)));
});

test("what was stored before the clock was set does not grow old by being set", async () => {
  const device = await started("unset", { timeToLiveSeconds: 3600 });
  device.bucket.trouble = offline;
  device.wallOffsetMs = -device.clock.now();
  device.publishBatch("a", raw(1, 20));
  await device.run(MINUTE_MS);
  device.wallOffsetMs = 0;
  await device.run(10 * MINUTE_MS);
  device.bucket.trouble = () => undefined;
  await device.run(2 * HOUR_MS);
  expect(await names(device)).toHaveLength(20);
  expect(own(device)?.counters).toMatchObject({ expiredPoints: 0 });
});

const twoSinks = {
  lake: { kind: "s3-parquet", flushIntervalSeconds: 60 },
  live: { kind: "kinesis", streamName: "live", flushIntervalSeconds: 60 },
};
const lakeOnly = { sinks: { lake: twoSinks.lake } };
const told = (device: Device) =>
  device.logged.filter(({ message }) => message.startsWith("a sink is no longer configured"));

test("a sink that is taken out while it runs gives up its backlog: counted, logged once, and it holds nothing more", async () => {
  const device = await started("taken out", { sinks: twoSinks });
  device.recordStreams.trouble = () => {
    throw Object.assign(new Error("no network"), { name: "AwsError", code: "NetworkError" });
  };
  for (let batch = 0; batch < 60; batch++) {
    device.publishBatch(`b-${batch}`, raw(1 + batch * 500, 500));
    await device.run(10_000);
  }
  await device.run(2 * MINUTE_MS);
  const before = own(device)?.gauges["logBytes"] ?? 0;
  expect(before).toBeGreaterThan(700_000);
  await device.configure(lakeOnly);
  await device.run(10 * MINUTE_MS);
  expect(await device.disk.list("log")).not.toContain("live.cursor");
  expect(await device.disk.list("alarms")).not.toContain("live.cursor");
  expect(own(device)?.gauges["logBytes"]).toBeLessThan(before / 10);
  expectSums(device, ["lake", "live"]);
  expect(own(device)?.counters).toMatchObject({
    droppedPoints: 30_000,
    "live.givenUp": 30_000,
    "lake.sent": 30_000,
  });
  expect(told(device).map(({ fields }) => fields)).toEqual([
    { sink: "live", stream: "alarms", points: 0 },
    { sink: "live", stream: "readings", points: 30_000 },
  ]);
  // Taken in again, it begins with what comes from then on.
  device.recordStreams.trouble = () => [];
  await device.configure({ sinks: twoSinks });
  device.publishBatch("new", raw(30_001, 20));
  await device.run(5 * MINUTE_MS);
  expect(own(device)?.counters).toMatchObject({ "live.sent": 20, droppedPoints: 30_000 });
  expectSums(device, ["lake", "live"]);
}, 60_000);

test("a sink that is missing at a start gives up its backlog in the same way", async () => {
  const device = await started("missing", { sinks: twoSinks });
  device.recordStreams.trouble = () => {
    throw Object.assign(new Error("no network"), { name: "AwsError", code: "NetworkError" });
  };
  device.publishBatch("a", raw(1, 500));
  await device.run(5 * MINUTE_MS);
  // Behind the last checkpoint.
  device.publishBatch("b", raw(501, 30));
  await device.run(1000);
  device.kill({ power: true });
  device.configuration = lakeOnly;
  await device.start();
  await device.run(5 * MINUTE_MS);
  expectSums(device, ["lake", "live"]);
  expect(own(device)?.counters).toMatchObject({ droppedPoints: 530, "live.planned": 530 });
  expect(told(device)).toHaveLength(2);
  expect(await device.disk.list("log")).not.toContain("live.cursor");
  expect(await names(device)).toHaveLength(530);
  device.kill({ power: true });
  await device.start();
  expect(told(device)).toHaveLength(2);
});

import { healthKeys, topics } from "@coalmine/contract";
import { nodeCrypto } from "@coalmine/device/crypto";
import { memoryFiles } from "@coalmine/durable-log";
import { expect, test } from "vitest";
import { curve, Device, nameOf } from "./device.fixture.ts";

const HOUR_MS = 3_600_000;

async function started(seed: string, configuration = {}): Promise<Device> {
  const device = new Device(seed);
  device.configuration = configuration;
  await device.start();
  return device;
}
const rowName = (row: Record<string, unknown>): string =>
  `${String(row["instrument"])}/${String(row["boot"])}/${String(row["sequence"])}/${String(row["channel"])}`;

test("a batch is acknowledged when it is durable, and is in the lake after an interval, whole", async () => {
  const device = await started("whole");
  const points = curve(1, 1, 45);
  device.publishBatch("b-1", points);
  await device.run(1000);
  expect([...device.acknowledged]).toEqual(["b-1"]);
  expect(device.bucket.stored.size).toBe(0);
  await device.run(HOUR_MS);
  const [key = ""] = device.bucket.stored.keys();
  expect(key).toMatch(/^measurements\/dt=2026-03-01\/thing=thing-1\/[0-9a-f]{32}-1-1-v1\.parquet$/);
  expect(device.bucket.footer(key)).toMatchObject({
    "coalmine.thing": "thing-1",
    "coalmine.firstSequence": "1",
    "coalmine.lastSequence": "1",
    "coalmine.schemaVersion": "1",
  });
  const rows = await device.bucket.rows();
  expect(rows).toEqual(
    points.map((point) => ({
      thing: "thing-1",
      instrument: point.instrument,
      boot: 1,
      sequence: BigInt(point.sequence),
      channel: point.channel,
      sample_time_ms: point.sampleTimeMs,
      sample_time_uncertainty_ms: 1.5,
      value: point.value,
      unit: "mPa.s",
      quality: point.quality.level,
      quality_cause: point.quality.level === "good" ? null : point.quality.cause,
      calibration_id: "cal-7",
      model_sha256: point.derivation?.modelSha256 ?? null,
      preprocessing_version: point.derivation?.preprocessingVersion ?? null,
      input_from: point.derivation === undefined ? null : BigInt(point.derivation.inputFrom),
      input_to: point.derivation === undefined ? null : BigInt(point.derivation.inputTo),
    })),
  );
});

test("points of two days become two objects", async () => {
  const device = await started("days", { flushIntervalSeconds: 60 });
  device.publishBatch("night", curve(1, 1, 10, Date.UTC(2026, 2, 2) - 5 * 15_000 - 1000));
  await device.run(120_000);
  expect([...device.bucket.stored.keys()].map((key) => key.slice(0, 26))).toEqual([
    "measurements/dt=2026-03-01",
    "measurements/dt=2026-03-02",
  ]);
  expect(await device.bucket.rows()).toHaveLength(10);
});

test("points that come again are acknowledged and stored once, also after a restart and after their upload", async () => {
  const device = await started("again", { flushIntervalSeconds: 60 });
  device.publishBatch("a", curve(1, 1, 20));
  device.publishBatch("a-again", curve(1, 1, 20));
  await device.run(1000);
  device.kill({ power: true });
  await device.start();
  device.publishBatch("overlap", curve(1, 11, 20));
  await device.run(120_000);
  expect(await device.bucket.rows()).toHaveLength(30);
  device.kill({ power: true });
  await device.start();
  device.publishBatch("late", curve(1, 1, 30));
  await device.run(120_000);
  expect([...device.acknowledged].sort()).toEqual(["a", "a-again", "late", "overlap"]);
  expect((await device.bucket.rows()).map(rowName).sort()).toEqual(curve(1, 1, 30).map(nameOf).sort());
});

test("a stored object whose answer was lost is not written again", async () => {
  const device = await started("lie", { flushIntervalSeconds: 60 });
  let lies = 0;
  device.bucket.trouble = () =>
    lies++ < 3 ? { code: "InternalError", statusCode: 500, isStored: true } : undefined;
  device.publishBatch("a", curve(1, 1, 20));
  await device.run(HOUR_MS);
  expect(device.bucket.attempts.length).toBeGreaterThan(1);
  expect(device.bucket.stored.size).toBe(1);
  expect(await device.bucket.rows()).toHaveLength(20);
});

test("trouble that passes is waited out, however long, with at most 5 minutes between attempts", async () => {
  const device = await started("month", { flushIntervalSeconds: 60 });
  device.bucket.trouble = () => ({ code: "NetworkError", isStored: false });
  for (let batch = 0; batch < 30; batch++) {
    device.publishBatch(`b-${batch}`, curve(1, 1 + batch * 20, 20));
    await device.run(HOUR_MS);
  }
  expect(device.bucket.attempts.length).toBeGreaterThan((30 * 60) / 5);
  expect(device.bucket.attempts.length).toBeLessThan(30 * 60);
  device.bucket.trouble = () => undefined;
  await device.run(600_000);
  expect(await device.bucket.rows()).toHaveLength(600);
}, 30_000);

test("a refusal that a person must mend is named once an hour, and the right bucket ends the wait", async () => {
  const device = await started("denied", { flushIntervalSeconds: 60, bucket: "wrong-bucket" });
  device.bucket.trouble = () =>
    device.configuration["bucket"] === "wrong-bucket"
      ? { code: "NoSuchBucket", statusCode: 404, isStored: false }
      : undefined;
  device.publishBatch("a", curve(1, 1, 20));
  await device.run(3 * HOUR_MS);
  const named = device.logged.filter(({ level }) => level === "ERROR");
  expect(named.length).toBeGreaterThanOrEqual(3);
  expect(named.length).toBeLessThanOrEqual(4);
  expect(named[0]?.fields).toMatchObject({
    code: "NoSuchBucket",
    target: "wrong-bucket",
    remedy: expect.stringContaining("bucket"),
  });
  expect(device.bucket.attempts.length).toBeGreaterThan(20);
  await device.configure({ flushIntervalSeconds: 60, bucket: "right-bucket" });
  await device.run(1);
  expect(device.bucket.attempts.at(-1)).toMatch(/^right-bucket\//);
  expect(await device.bucket.rows()).toHaveLength(20);
});

test("a batch that cannot come in is refused by name and reason, counted and kept", async () => {
  const device = await started("refused");
  const [point] = curve(1, 1, 1);
  device.publish(topics.measurements, {
    json: { version: 1, batch: "bad", points: [{ ...point, value: "four" }] } as never,
  });
  device.publishBatch("mixed", [...curve(1, 1, 2), ...curve(2, 1, 2)]);
  device.publishBatch("early", curve(1, 1, 1, -9e14));
  device.publish(topics.measurements, { binary: new Uint8Array(3) });
  device.publishBatch("good", curve(1, 1, 2));
  await device.run(130_000);
  expect(Object.fromEntries(device.refused)).toEqual({
    bad: expect.stringMatching(/^points\.0\.value: /),
    mixed: expect.stringContaining("one instrument and boot"),
    early: expect.stringContaining("1970 to 9999"),
  });
  expect([...device.acknowledged]).toEqual(["good"]);
  const kept = await device.keptAside();
  expect(kept).toHaveLength(4);
  expect(kept[0]).toMatch(/^\{"reason":"points\.0\.value: .*\}\n\{"version":1,"batch":"bad".*"four"/s);
  expect(device.heartbeats.at(-1)?.components[0]?.counters).toMatchObject({
    received: 9,
    refused: 7,
    durable: 2,
  });
});

test("the heartbeat goes out each minute with every component's last words and their age", async () => {
  const device = await started("beat");
  const words = {
    version: 1,
    component: "coalmine.SensorReader",
    componentVersion: "2.0.0",
    startedMs: 1,
    counters: { readings: 7 },
    gauges: {},
    sums: {},
  };
  await device.run(20_000);
  const saidMs = device.clock.now();
  device.publish(topics.health("coalmine.SensorReader"), { json: words });
  device.publish(topics.health("coalmine.Inference"), { json: words });
  await device.run(160_000);
  const [{ sentMs: firstMs } = { sentMs: 0 }] = device.heartbeats;
  expect(device.heartbeats.map(({ sequence, sentMs }) => [sequence, sentMs - firstMs])).toEqual([
    [0, 0],
    [1, 60_000],
    [2, 120_000],
  ]);
  const [own, sensor] = device.heartbeats[1]?.components.toReversed() ?? [];
  expect(sensor).toMatchObject({ component: "coalmine.SensorReader", ageMs: firstMs + 60_000 - saidMs });
  // What says how it is when the device's other components do is told while it is fresh.
  expect(own).toMatchObject({ component: "coalmine.StreamUploader", componentVersion: "1.2.3", ageMs: 1000 });
  for (const name of healthKeys.streamUploader.counters) expect(own?.counters).toHaveProperty(name);
  for (const name of healthKeys.streamUploader.gauges) expect(own?.gauges).toHaveProperty(name);
  expect(device.heartbeats[1]?.components).toHaveLength(2);
});

test("a configuration that cannot be is refused with one sentence, by validation and at start alike", async () => {
  const device = await started("config");
  const bad = { flushIntervalSeconds: 0, bucket: "No Such" };
  const answer = await device.validate?.(bad);
  expect(answer).toMatchObject({
    status: "REJECTED",
    message: expect.stringMatching(/flushIntervalSeconds.*|bucket.*/),
  });
  expect(await device.validate?.({ flushIntervalSeconds: 5, keyOfTheNextVersion: true })).toEqual({
    status: "ACCEPTED",
  });
  const other = new Device("config at start");
  other.configuration = bad;
  await expect(other.start()).rejects.toThrow(answer?.status === "REJECTED" ? answer.message : "");
  // One that arrives nevertheless changes nothing.
  await device.configure(bad);
  device.publishBatch("a", curve(1, 1, 2));
  await device.run(HOUR_MS + 1000);
  expect(await device.bucket.rows()).toHaveLength(2);
});

test("a changed interval applies to points that wait already", async () => {
  const device = await started("live");
  device.publishBatch("a", curve(1, 1, 2));
  await device.run(60_000);
  await device.configure({ flushIntervalSeconds: 30 });
  await device.run(1);
  expect(await device.bucket.rows()).toHaveLength(2);
});

test("without room nothing is acknowledged, and what comes again later is stored", async () => {
  const disk = memoryFiles({ capacityBytes: 400_000 });
  const device = new Device("full", disk);
  device.configuration = { flushIntervalSeconds: 86_400 };
  await device.start();
  let published = 0;
  while (device.acknowledged.size === published && published < 100) {
    device.publishBatch(`b-${published}`, curve(1, 1 + published * 500, 500));
    published++;
    await device.run(1000);
  }
  expect(device.acknowledged.size).toBe(published - 1);
  expect(published).toBeGreaterThan(10);
  await device.configure({ flushIntervalSeconds: 1 });
  await device.run(60_000);
  device.publishBatch("again", curve(1, 1 + (published - 1) * 500, 500));
  await device.run(60_000);
  expect(device.acknowledged.has("again")).toBe(true);
  expect((await device.bucket.rows()).map(rowName).sort()).toEqual(
    curve(1, 1, published * 500)
      .map(nameOf)
      .sort(),
  );
}, 30_000);

test("on a disk filled to the last byte by others, uploads go on and make room", async () => {
  const disk = memoryFiles({ capacityBytes: 600_000 });
  const device = new Device("filled", disk);
  device.configuration = { flushIntervalSeconds: 600 };
  await device.start();
  for (let batch = 0; batch < 10; batch++) device.publishBatch(`b-${batch}`, curve(1, 1 + batch * 500, 500));
  await device.run(1000);
  expect(device.acknowledged.size).toBe(10);
  disk.put("of-others", new Uint8Array(await disk.freeBytes()));
  expect(await disk.freeBytes()).toBe(0);
  await device.run(700_000);
  expect(await device.bucket.rows()).toHaveLength(5000);
  expect(await disk.freeBytes()).toBeGreaterThan(0);
});

test("a copy of a batch that could not be stored is not acknowledged either", async () => {
  const disk = memoryFiles({ capacityBytes: 200_000 });
  const device = new Device("copies", disk);
  await device.start();
  disk.put("of-others", new Uint8Array(await disk.freeBytes()));
  device.publishBatch("x", curve(1, 1, 20));
  device.publishBatch("copy", curve(1, 1, 20));
  device.publishBatch("overlap", curve(1, 11, 20));
  await device.run(1000);
  expect([...device.acknowledged]).toEqual([]);
  await disk.remove("of-others");
  device.publishBatch("copy", curve(1, 1, 20));
  device.publishBatch("overlap", curve(1, 11, 20));
  await device.run(HOUR_MS + 1000);
  expect([...device.acknowledged]).toEqual(["copy", "overlap"]);
  expect((await device.bucket.rows()).map(rowName).sort()).toEqual(curve(1, 1, 30).map(nameOf).sort());
});

test("a lost checkpoint costs nothing that the log still holds, and the backlog stays right", async () => {
  const device = await started("lost checkpoint", { flushIntervalSeconds: 60 });
  device.bucket.trouble = () => ({ code: "NetworkError", isStored: true });
  device.publishBatch("a", curve(1, 1, 20));
  await device.run(90_000);
  const [key] = device.bucket.stored.keys();
  device.publishBatch("b", curve(1, 21, 20));
  await device.run(1000);
  device.kill({ power: true });
  await device.disk.remove("checkpoint.json");
  device.bucket.trouble = () => undefined;
  await device.start();
  device.publishBatch("a-again", curve(1, 1, 20));
  await device.run(600_000);
  expect(device.bucket.stored.keys().next().value).toBe(key);
  expect((await device.bucket.rows()).map(rowName).sort()).toEqual(curve(1, 1, 40).map(nameOf).sort());
  expect(device.heartbeats.at(-1)?.components[0]?.gauges).toMatchObject({
    backlogPoints: 0,
    backlogBytes: 0,
  });
});

test("stopping stores what arrived, keeps what was not uploaded, and ends", async () => {
  const device = await started("stop");
  device.bucket.trouble = () => ({ code: "NetworkError", isStored: false });
  device.publishBatch("a", curve(1, 1, 20));
  await device.run(2 * HOUR_MS);
  device.publishBatch("b", curve(1, 21, 20));
  await device.stop();
  expect(device.acknowledged.has("b")).toBe(true);
  expect(device.failed).toBeUndefined();
  device.bucket.trouble = () => undefined;
  await device.start();
  await device.run(2 * HOUR_MS);
  expect((await device.bucket.rows()).map(rowName).sort()).toEqual(curve(1, 1, 40).map(nameOf).sort());
});

test("the books of the version before are taken up: what was under way keeps its key, and nothing comes twice", async () => {
  const device = await started("upgrade", { flushIntervalSeconds: 60 });
  device.bucket.trouble = () => ({ code: "NetworkError", isStored: true });
  device.publishBatch("a", curve(1, 1, 20));
  await device.run(90_000);
  device.publishBatch("b", curve(1, 21, 20));
  await device.run(1000);
  device.kill({ power: true });
  const file = await device.disk.open("checkpoint.json", "read");
  const content = await file.read(4, (await file.size()) - 4);
  const { alarms, lanes, ...before } = JSON.parse(new TextDecoder().decode(content)) as Record<
    string,
    object
  >;
  expect([alarms, lanes]).not.toContain(undefined);
  const rewritten = new TextEncoder().encode(JSON.stringify(before));
  const bytes = new Uint8Array(4 + rewritten.length);
  new DataView(bytes.buffer).setUint32(0, nodeCrypto.crc32(rewritten), true);
  bytes.set(rewritten, 4);
  device.disk.put("checkpoint.json", bytes);
  for (const name of await device.disk.list("alarms")) await device.disk.remove(`alarms/${name}`);
  await device.disk.remove("alarms");
  device.bucket.trouble = () => undefined;
  await device.start();
  device.publishBatch("a-again", curve(1, 1, 20));
  await device.run(600_000);
  expect((await device.bucket.rows()).map(rowName).sort()).toEqual(curve(1, 1, 40).map(nameOf).sort());
  expect([...device.bucket.writes.values()]).toEqual([1, 1]);
  expect(device.failed).toBeUndefined();
});

test("what comes in and what goes out add up, in numbers an operator sees", async () => {
  const device = await started("sums", { flushIntervalSeconds: 60 });
  device.publishBatch("a", curve(1, 1, 100));
  device.publishBatch("a-again", curve(1, 1, 100));
  device.publishBatch("mixed", [...curve(1, 1, 2), ...curve(2, 1, 2)]);
  await device.run(30_000);
  device.publishBatch("b", curve(1, 101, 50));
  await device.run(59_000);
  device.bucket.trouble = () => ({ code: "NetworkError", isStored: false });
  device.publishBatch("c", curve(1, 151, 50));
  await device.run(120_000);
  const { counters = {}, gauges = {} } = device.heartbeats.at(-1)?.components[0] ?? {};
  expect(counters).toMatchObject({ received: 304, durable: 200, duplicates: 100, refused: 4, deferred: 0 });
  expect(counters["lake.planned"]).toBe(counters["durable"]);
  expect((counters["lake.sent"] ?? 0) + (gauges["lake.backlogPoints"] ?? 0)).toBe(200);
  expect(gauges["oldestAgeMs"]).toBeGreaterThan(60_000);
  expect(gauges["drainMs"]).toBeGreaterThanOrEqual(0);
  expect(gauges["logBytes"]).toBeGreaterThan(0);
});

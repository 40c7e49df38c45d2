import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { curve, Device, nameOf } from "../device.fixture.ts";

const HOUR_MS = 3_600_000;
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

async function started(seed: string, sinks: object, more = {}): Promise<Device> {
  const device = new Device(seed);
  device.configuration = { flushIntervalSeconds: 60, sinks: sinks as never, ...more };
  await device.start();
  return device;
}
/** The names of the points that lines of JSON tell of. */
function namesIn(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => nameOf(JSON.parse(line) as never))
    .sort();
}
const namesOf = (first: number, count: number): string[] => curve(1, first, count).map(nameOf).sort();
const fault = (name: string, code: string, statusCode?: number): Error =>
  Object.assign(new Error(code), { name, code, statusCode });

test("S3 JSON lines hold what the lake's columns hold, below a prefix of their own", async () => {
  const device = await started("lines", { lines: { kind: "s3-json-lines", keyPrefix: "lines" } });
  device.publishBatch("a", curve(1, 1, 40));
  await device.run(120_000);
  const [[key, bytes] = ["", new Uint8Array()]] = device.bucket.stored;
  expect(key).toMatch(/^lines\/dt=2026-03-01\/thing=thing-1\/[0-9a-f]{32}-1-1-v1\.jsonl\.gz$/);
  const text = decode(gunzipSync(bytes));
  expect(namesIn(text)).toEqual(namesOf(1, 40));
  const [line, computed] = [0, 19].map((at) => JSON.parse(text.split("\n")[at] ?? "") as object);
  expect(line).toMatchObject({ thing: "thing-1", sample_time_ms: expect.any(Number), unit: "mPa.s" });
  expect(line).not.toHaveProperty("model_sha256");
  expect(computed).toMatchObject({ channel: "casson-yield-stress", input_from: 1, input_to: 20 });
});

test("Kinesis: requests within its limits, by instrument, and only what failed is sent again", async () => {
  const device = await started("kinesis", {
    live: {
      kind: "kinesis",
      streamName: "readings",
      recordBytesMax: 4096,
      requestBytesMax: 65_536,
      requestRecordsMax: 10,
    },
  });
  let refusals = 0;
  device.recordStreams.trouble = (texts) =>
    texts.map((_, at) =>
      at % 3 === 1 && refusals++ < 25 ? "ProvisionedThroughputExceededException" : undefined,
    );
  device.publishBatch("a", curve(1, 1, 500));
  await device.run(HOUR_MS);
  const { taken, requests } = device.recordStreams;
  expect(namesIn(taken.map(({ text }) => text).join(""))).toEqual(namesOf(1, 500));
  expect(refusals).toBeGreaterThan(10);
  expect(new Set(taken.map(({ partitionKey }) => partitionKey))).toEqual(new Set(["rheo-1"]));
  expect(Math.max(...requests.map(({ records }) => records))).toBe(10);
  for (const { text } of taken) expect(text.length + 6).toBeLessThanOrEqual(4096);
  expect(device.heartbeats.at(-1)?.components[0]?.counters).toMatchObject({
    "live.planned": 500,
    "live.sent": 500,
  });
});

test("Firehose: at most 4 MiB and 500 records a request", async () => {
  const device = await started("firehose", {
    hose: { kind: "firehose", deliveryStreamName: "readings", recordBytesMax: 4096 },
  });
  for (let batch = 0; batch < 40; batch++) device.publishBatch(`b-${batch}`, curve(1, 1 + batch * 500, 500));
  await device.run(120_000);
  const { taken, requests } = device.recordStreams;
  expect(namesIn(taken.map(({ text }) => text).join(""))).toEqual(namesOf(1, 20_000));
  expect(requests.length).toBeGreaterThan(1);
  expect(Math.max(...requests.map(({ records }) => records))).toBe(500);
  for (const { bytes } of requests) expect(bytes).toBeLessThanOrEqual(4 * 2 ** 20);
});

test("a request that is refused for good is parted until the one bad record is found and put aside", async () => {
  const device = await started("poison", {
    live: { kind: "kinesis", streamName: "readings", recordBytesMax: 4096 },
  });
  const bad = '"sequence":77,';
  device.recordStreams.trouble = (texts) => {
    if (texts.some((text) => text.includes(bad))) throw fault("AwsError", "ValidationException", 400);
    return [];
  };
  device.publishBatch("a", curve(1, 1, 200));
  await device.run(HOUR_MS);
  device.publishBatch("b", curve(1, 201, 20));
  await device.run(HOUR_MS);
  const sent = namesIn(device.recordStreams.taken.map(({ text }) => text).join(""));
  const counters = device.heartbeats.at(-1)?.components[0]?.counters ?? {};
  expect(sent).toContain("rheo-1/1/220/casson-yield-stress");
  expect(counters["live.quarantined"]).toBeGreaterThan(0);
  expect(counters["live.quarantined"]).toBeLessThan(20);
  expect(sent).toHaveLength(220 - (counters["live.quarantined"] ?? 0));
  expect(counters["live.planned"]).toBe((counters["live.sent"] ?? 0) + (counters["live.quarantined"] ?? 0));
  const kept = await device.keptAside();
  expect(kept).toHaveLength(1);
  expect(kept[0]).toMatch(/^\{"reason":"live answered ValidationException for /);
  expect(kept[0]).toContain(bad);
});

test("a sink that takes nothing at all is kept waiting for a person, not emptied into quarantine", async () => {
  const device = await started("hopeless", {
    live: { kind: "kinesis", streamName: "readings", recordBytesMax: 4096 },
  });
  device.recordStreams.trouble = () => {
    throw fault("AwsError", "ValidationException", 400);
  };
  device.publishBatch("a", curve(1, 1, 500));
  await device.run(24 * HOUR_MS);
  expect(await device.keptAside()).toHaveLength(16);
  expect(
    device.logged.filter(({ message }) => message.includes("refused; the points are kept")).length,
  ).toBeGreaterThan(10);
  expect(device.heartbeats.at(-1)?.components[0]?.gauges["live.backlogPoints"]).toBe(500);
});

test("IoT Core: QoS 1, on the thing's own topic, at most 128 KiB a message", async () => {
  const device = await started("mqtt", { view: { kind: "iot-core" } });
  let refusals = 2;
  device.publishTrouble = () => (refusals-- > 0 ? fault("IpcError", "ServiceError") : undefined);
  device.publishBatch("a", curve(1, 1, 500));
  device.publishBatch("b", curve(1, 501, 500));
  await device.run(120_000);
  expect(device.published.length).toBeGreaterThan(1);
  for (const { topic, qos, payload } of device.published) {
    expect([topic, qos]).toEqual(["coalmine/thing-1/measurements", 1]);
    expect(payload.length).toBeLessThanOrEqual(131_072);
  }
  expect(namesIn(device.published.map(({ payload }) => decode(payload)).join(""))).toEqual(namesOf(1, 1000));
});

test("files: whole or not there, and the oldest make room at the limit", async () => {
  const device = await started("files", { export: { kind: "file", limitBytes: 2 ** 20 } });
  for (let batch = 0; batch < 20; batch++) {
    device.publishBatch(`b-${batch}`, curve(1, 1 + batch * 500, 500));
    await device.run(70_000);
  }
  const names = await device.disk.list("exports/export");
  let bytes = 0;
  let text = "";
  for (const name of names) {
    const file = await device.disk.open(`exports/export/${name}`, "read");
    bytes += await file.size();
    text += decode(await file.read(0, await file.size()));
  }
  expect(bytes).toBeLessThanOrEqual(2 ** 20);
  const points = namesIn(text).length;
  expect(points).toBeGreaterThan(2000);
  expect(namesIn(text)).toEqual(namesOf(10_001 - points, points));
});

test("each sink goes at its own pace: one that fails holds up no other, and the log keeps what it lacks", async () => {
  const device = await started("paces", {
    lake: { kind: "s3-parquet" },
    live: { kind: "kinesis", streamName: "readings" },
  });
  device.bucket.trouble = () => ({ code: "NetworkError", isStored: false });
  device.publishBatch("a", curve(1, 1, 100));
  await device.run(120_000);
  device.kill({ power: true });
  await device.start();
  device.publishBatch("b", curve(1, 101, 100));
  await device.run(HOUR_MS);
  expect(namesIn(device.recordStreams.taken.map(({ text }) => text).join(""))).toEqual(namesOf(1, 200));
  expect(device.bucket.stored.size).toBe(0);
  device.bucket.trouble = () => undefined;
  await device.run(HOUR_MS);
  expect(await device.bucket.rows()).toHaveLength(200);
  const { counters, gauges } = device.heartbeats.at(-1)?.components[0] ?? {};
  expect(counters).toMatchObject({ "lake.planned": 200, "lake.sent": 200 });
  expect(gauges).toMatchObject({ "lake.backlogPoints": 0, "live.backlogPoints": 0, drainMs: 0 });
});

test("sinks come and go while it runs: a new one begins with what comes then, a gone one holds no log back", async () => {
  const lake = { kind: "s3-parquet" };
  const device = await started("come and go", { lake });
  device.publishBatch("a", curve(1, 1, 100));
  await device.run(1000);
  const both = { lake, live: { kind: "kinesis", streamName: "readings" } };
  await device.configure({ flushIntervalSeconds: 60, sinks: both });
  device.publishBatch("b", curve(1, 101, 100));
  await device.run(120_000);
  expect(namesIn(device.recordStreams.taken.map(({ text }) => text).join(""))).toEqual(namesOf(101, 100));
  expect(await device.bucket.rows()).toHaveLength(200);
  await device.configure({ flushIntervalSeconds: 60, sinks: { lake } });
  for (let batch = 0; batch < 60; batch++) {
    device.publishBatch(`c-${batch}`, curve(1, 201 + batch * 500, 500));
    await device.run(2000);
  }
  await device.run(120_000);
  expect(await device.bucket.rows()).toHaveLength(30_200);
  const logBytes = device.heartbeats.at(-1)?.components[0]?.gauges["logBytes"];
  expect(logBytes).toBeLessThan(1_200_000);
  device.kill({ power: true });
  await device.start();
  expect(await device.disk.list("log")).not.toContain("live.cursor");
});

test.each([
  [{ live: { kind: "kinesis" } }, /sinks\.live\.streamName = \(absent\): /],
  [
    { live: { kind: "kinesis", streamName: "s", requestRecordsMax: 501 } },
    /requestRecordsMax = 501: must be .* to 500$/m,
  ],
  [
    { hose: { kind: "firehose", deliveryStreamName: "s", recordBytesMax: 1_024_001 } },
    /recordBytesMax = 1024001: must be .* to 1,024,000$/m,
  ],
  [
    { view: { kind: "iot-core", payloadBytesMax: 200_000 } },
    /payloadBytesMax = 200000: must be .* to 131,072$/m,
  ],
  [{ other: { kind: "carrier-pigeon" } }, /sinks\.other\.kind = "carrier-pigeon": .*/],
  [{ lake: { kind: "s3-parquet", windowSeconds: -1 } }, /windowSeconds = -1: must be .*0 to /],
  [{ "No Name": { kind: "s3-parquet" } }, /a sink's name must be/],
  [{}, /1 to 8 sinks/],
])("a sink that cannot be is refused by key, value and what may be: %j", async (sinks, sentence) => {
  const device = new Device("refused");
  device.configuration = { sinks };
  await expect(device.start()).rejects.toThrow(sentence);
});

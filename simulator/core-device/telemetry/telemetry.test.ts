import type { JsonObject } from "@coalmine/ports";
import { expect, test } from "vitest";
import { install } from "../testing/component.ts";
import { deviceUnderTest, groupDocument } from "../testing/device.ts";
import { noStream } from "../testing/no-stream.ts";

const HOUR_MS = 3_600_000;
const STREAM_MANAGER = "aws.greengrass.StreamManager";
type Device = Awaited<ReturnType<typeof deviceUnderTest>>;
interface Told {
  readonly Schema: string;
  readonly ADP: { TS: number; NS: string; M: { N: string; Sum: number; U: string }[] }[];
}

const told = (it: Device): Told[] =>
  it.cloud.published
    .filter(({ topic }) => topic === "$aws/things/T/greengrass/health/json")
    .map(({ payload }) => payload as unknown as Told);
const valueOf = (point: Told["ADP"][number] | undefined, name: string) =>
  point?.M.find(({ N }) => N === name);

async function put(it: Device, value: number, unit = "BYTES"): Promise<JsonObject> {
  const metrics = [{ name: "Sent", unit, value }];
  return it.device.service.open(STREAM_MANAGER, "PutComponentMetric", { metrics }, noStream());
}

test("once a day telemetry tells of machine and components by the hour, and of the whole time [core-device-7.17] [core-device-8.17]", async () => {
  let calls = 0;
  const it = await deviceUnderTest({
    systemMetrics: () => ({ cpuPercent: ++calls, openFileDescriptors: 100, memoryMebibytes: 2000 }),
  });
  it.cloud.addComponent(STREAM_MANAGER, "1.0.0", {});
  await install(it, { A: {}, B: {}, [STREAM_MANAGER]: {} });
  await it.run(HOUR_MS);
  const before = told(it).length;
  await put(it, 5);
  await put(it, 7);
  await it.run(24 * HOUR_MS);
  const [message] = told(it).slice(before);
  expect(message?.Schema).toBe("2022-06-30");
  const points = message?.ADP ?? [];
  const namespaces = new Set(points.map(({ NS }) => NS));
  expect(namespaces).toEqual(new Set(["SystemMetrics", "GreengrassComponents", STREAM_MANAGER]));
  const system = points.filter(({ NS }) => NS === "SystemMetrics");
  const hours = system.slice(0, -1);
  expect(hours.length).toBeGreaterThanOrEqual(23);
  for (const [index, { TS }] of hours.entries())
    if (index > 0) expect(TS - (hours[index - 1]?.TS ?? 0)).toBe(HOUR_MS);
  const usage = hours.map((point) => valueOf(point, "CpuUsage")?.Sum ?? 0);
  const mean = usage.reduce((sum, each) => sum + each, 0) / usage.length;
  expect(valueOf(system.at(-1), "CpuUsage")).toEqual({ N: "CpuUsage", Sum: mean, U: "Percent" });
  expect(valueOf(system.at(-1), "SystemMemUsage")).toEqual({
    N: "SystemMemUsage",
    Sum: 2000,
    U: "Megabytes",
  });
  const components = points.filter(({ NS }) => NS === "GreengrassComponents").at(-2);
  expect(valueOf(components, "NumberOfComponentsRunning")).toMatchObject({ Sum: 2, U: "Count" });
  expect(valueOf(components, "NumberOfComponentsBroken")).toMatchObject({ Sum: 0 });
  const sent = points.filter(({ NS }) => NS === STREAM_MANAGER);
  expect(sent.map((point) => valueOf(point, "Sent"))).toEqual([
    { N: "Sent", Sum: 12, U: "Bytes" },
    { N: "Sent", Sum: 12, U: "Bytes" },
  ]);
  await it.run(24 * HOUR_MS);
  expect(told(it).length).toBe(before + 2);
  await it.device.stop();
});

test("what a device gathers offline it tells when it is connected again [core-device-7.18]", async () => {
  const it = await deviceUnderTest();
  await it.run(2 * HOUR_MS);
  it.cloud.disconnect();
  const before = told(it).length;
  await it.run(50 * HOUR_MS);
  expect(told(it).length).toBe(before);
  it.cloud.connect(true);
  await it.run(6000);
  const [message] = told(it).slice(before);
  expect(message?.ADP.length).toBeGreaterThanOrEqual(48);
  await it.device.stop();
});

test("telemetry can be turned off, and told less often, but not more often [core-device-7.18]", async () => {
  const nucleus = "aws.greengrass.Nucleus";
  const it = await deviceUnderTest({
    nucleusConfiguration: {
      telemetry: { periodicPublishMetricsIntervalSec: 5, periodicAggregateMetricsIntervalSec: 5 },
    },
  });
  await it.run(25 * HOUR_MS);
  expect(told(it).length).toBeGreaterThanOrEqual(1);
  expect(told(it).length).toBeLessThanOrEqual(2);
  const before = told(it).length;
  it.cloud.addComponent(nucleus, "2.18.0", {});
  const merge = { telemetry: { enabled: false } };
  it.cloud.deployJob(
    "off",
    groupDocument(2, { [nucleus]: { version: "2.18.0", configurationUpdate: { merge } } }),
  );
  await it.run(72 * HOUR_MS);
  expect(told(it).length).toBe(before);
  await it.device.stop();
});

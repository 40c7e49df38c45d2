import type { JsonObject } from "@coalmine/ports";
import { DrivenClock, silentLog } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { allowed, install, ipcOf } from "../testing/component.ts";
import { deviceUnderTest, groupDocument } from "../testing/device.ts";
import { memoryRoot } from "../testing/memory-root.ts";
import { noStream } from "../testing/no-stream.ts";
import { drain } from "../testing/services.ts";
import { DiskSpool, type Spooled } from "./disk-spool.ts";

const FILE = "work/aws.greengrass.DiskSpooler/spool.log";
const DISK = "aws.greengrass.DiskSpooler";
const allows = allowed("aws.greengrass.ipc.mqttproxy", ["*"], ["*"]);
const accessControl = JSON.parse(JSON.stringify(allows).replaceAll("aws.greengrass#*", "*")) as JsonObject;

function message(order: number): Spooled {
  const fields = { retain: true, payloadFormat: "1", correlationData: "AP8=" } as const;
  return { order, topic: `t/${order}`, payload: Uint8Array.of(0, 255, order), qos: 1, fields };
}

test("what waits on the disk is there again, in order and as it was; what has gone is not [core-device-7.16]", async () => {
  const root = memoryRoot(new DrivenClock(0, drain));
  const { spool } = await DiskSpool.open(root, silentLog);
  for (let order = 0; order < 4; order++) spool.add(message(order));
  spool.remove(1);
  await spool.synced();
  const { messages } = await DiskSpool.open(root, silentLog);
  expect(messages.map(({ payload, ...rest }) => ({ ...rest, payload: [...payload] }))).toEqual(
    [0, 2, 3].map((order) => ({ ...message(order), payload: [0, 255, order] })),
  );
});

test("a file cut at any byte gives the messages before the cut, and takes others again [core-device-7.16]", async () => {
  const root = memoryRoot(new DrivenClock(0, drain));
  const { spool } = await DiskSpool.open(root, silentLog);
  for (let order = 0; order < 3; order++) spool.add(message(order));
  await spool.synced();
  const whole = (await root.readText(FILE)) ?? "";
  for (let cut = 0; cut <= whole.length; cut++) {
    await root.writeText(FILE, whole.slice(0, cut));
    const { spool: next, messages } = await DiskSpool.open(root, silentLog);
    const lines = whole.slice(0, cut).split("\n").length - 1;
    expect(messages.map(({ order }) => order)).toEqual([0, 1, 2].slice(0, lines));
    next.add(message(9));
    await next.synced();
    const { messages: after } = await DiskSpool.open(root, silentLog);
    expect(after.map(({ order }) => order)).toEqual([...[0, 1, 2].slice(0, lines), 9]);
  }
});

test("the file does not grow for ever: it is written anew with what waits [core-device-7.16]", async () => {
  const root = memoryRoot(new DrivenClock(0, drain));
  const { spool } = await DiskSpool.open(root, silentLog);
  spool.add(message(0));
  const payload = new Uint8Array(1024 * 1024);
  for (let order = 1; order < 20; order++) {
    spool.add({ order, topic: "t", payload, qos: 1 });
    spool.remove(order);
    await spool.synced();
  }
  expect(await root.sizeOf(FILE)).toBeLessThan(20 * 1024 * 1024);
  const { messages } = await DiskSpool.open(root, silentLog);
  expect(messages.map(({ order }) => order)).toEqual([0]);
});

test("with the disk spooler messages of QoS 1 outlive a power cut, in order; in memory they do not [core-device-7.16]", async () => {
  for (const storageType of ["Disk", "Memory"]) {
    const it = await deviceUnderTest({ nucleusConfiguration: { mqtt: { spooler: { storageType } } } });
    await install(it, { A: accessControl, [DISK]: {} });
    // The nucleus takes the spooler up when it starts.
    await it.device.stop();
    const device = await it.restarted();
    await device.run(1000);
    expect(device.stateOf(DISK)).toBe("RUNNING");
    device.cloud.disconnect();
    const publish = (topicName: string, payload: object) =>
      device.device.service.open(
        "A",
        "PublishToIoTCore",
        { topicName, qos: "1", payload: Buffer.from(JSON.stringify(payload)).toString("base64") },
        noStream(),
      );
    for (let n = 0; n < 10; n++) await publish("up", { n });
    await device.device.cut();
    const before = it.cloud.published.length;
    it.cloud.online = true;
    const next = await device.restarted();
    await next.run(10_000);
    const up = it.cloud.published.slice(before).filter(({ topic }) => topic === "up");
    expect(up.map(({ payload }) => payload["n"])).toEqual(
      storageType === "Disk" ? [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] : [],
    );
    await next.device.stop();
  }
});

test("a deployment that turns the disk spooler on restarts the nucleus, and what waits goes with it [core-device-7.16]", async () => {
  const it = await deviceUnderTest();
  await install(it, { A: accessControl });
  it.cloud.addComponent(DISK, "1.0.0", {});
  it.cloud.addComponent("aws.greengrass.Nucleus", "2.18.0", {});
  const merge = { mqtt: { spooler: { storageType: "Disk" } } };
  it.cloud.deployJob(
    "disk",
    groupDocument(2, {
      A: { version: "1.0.0" },
      [DISK]: { version: "1.0.0" },
      "aws.greengrass.Nucleus": { version: "2.18.0", configurationUpdate: { merge } },
    }),
  );
  await it.run(30_000);
  expect(it.cloud.statusesOf("disk").at(-1)).toMatchObject({ status: "SUCCEEDED" });
  it.cloud.disconnect();
  await ipcOf(it, "A").publishToIotCore("up", 1, new TextEncoder().encode("{}"));
  expect(await it.root.readText(FILE)).toContain('"topic":"up"');
  it.cloud.connect();
  await it.run(1000);
  expect(it.cloud.published.filter(({ topic }) => topic === "up")).toHaveLength(1);
  await it.device.stop();
});

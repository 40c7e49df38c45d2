import { expect, test } from "vitest";
import { install } from "../testing/component.ts";
import { deviceUnderTest } from "../testing/device.ts";

const triggers = (it: Awaited<ReturnType<typeof deviceUnderTest>>) =>
  it.cloud.fleetStatuses().map((status) => status["trigger"]);

test("the first message of a run tells everything, and numbers go on over runs [core-device-7.10]", async () => {
  const it = await deviceUnderTest();
  await it.run(5000);
  expect(it.cloud.fleetStatuses()[0]).toMatchObject({
    ggcVersion: "2.18.0",
    platform: "linux",
    architecture: "amd64",
    thing: "T",
    overallDeviceStatus: "HEALTHY",
    sequenceNumber: 0,
    messageType: "COMPLETE",
    trigger: "NUCLEUS_LAUNCH",
    components: [
      {
        componentName: "aws.greengrass.Nucleus",
        version: "2.18.0",
        fleetConfigArns: [],
        componentStatusDetails: null,
        isRoot: false,
      },
    ],
  });
  const before = it.cloud.fleetStatuses().length;
  await it.device.stop();
  const again = await it.restarted();
  await again.run(1000);
  expect(it.cloud.fleetStatuses()[before]).toMatchObject({
    sequenceNumber: before,
    trigger: "NUCLEUS_LAUNCH",
  });
});

test("an error is told within three seconds with its code and reason; only BROKEN is unhealthy [core-device-7.11]", async () => {
  const it = await deviceUnderTest();
  await install(it, { A: {} });
  const fail = async (): Promise<void> => {
    it.launcher.launched.at(-1)?.exit(3);
    await it.run(3000);
  };
  await fail();
  const told = it.cloud.fleetStatuses().at(-1);
  expect(told).toMatchObject({
    messageType: "PARTIAL",
    trigger: "COMPONENT_STATUS_CHANGE",
    overallDeviceStatus: "HEALTHY",
  });
  await fail();
  await fail();
  await it.run(10_000);
  expect(it.cloud.fleetStatuses().at(-1)).toMatchObject({
    overallDeviceStatus: "UNHEALTHY",
    components: [
      {
        componentName: "A",
        status: "BROKEN",
        isRoot: true,
        fleetConfigArns: ["arn:aws:greengrass:us-east-1:123456789012:configuration:thinggroup/fleet:1"],
        componentStatusDetails: {
          statusCodes: ["RUN_ERROR"],
          statusReason: "An error occurred while running the component. The run script exited with code 3.",
        },
      },
    ],
  });
});

test("a reconnect is told, but not again within a minute when nothing changed [core-device-7.12]", async () => {
  const it = await deviceUnderTest();
  await it.run(120_000);
  const reconnects = () => triggers(it).filter((trigger) => trigger === "RECONNECT").length;
  for (let time = 0; time < 3; time++) {
    it.cloud.disconnect();
    await it.run(5000);
    it.cloud.connect(true);
    await it.run(5000);
  }
  expect(reconnects()).toBe(1);
});

test("once a day everything is told [core-device-7.13]", async () => {
  const it = await deviceUnderTest();
  await it.run(3 * 86_400_000);
  const cadence = it.cloud.fleetStatuses().filter((status) => status["trigger"] === "CADENCE");
  expect(cadence.length).toBeGreaterThanOrEqual(2);
  expect(cadence.every((status) => status["messageType"] === "COMPLETE")).toBe(true);
});

test("what changes after the start and before the first connection is told when that comes [core-device-7.14]", async () => {
  const it = await deviceUnderTest();
  await install(it, { A: {} });
  await it.device.stop();
  it.cloud.disconnect();
  const again = await it.restarted();
  await again.run(60_000);
  const before = it.cloud.fleetStatuses().length;
  it.cloud.connect(false);
  await again.run(1000);
  const told = it.cloud.fleetStatuses().slice(before);
  expect(told[0]).toMatchObject({ messageType: "COMPLETE", trigger: "NUCLEUS_LAUNCH" });
  expect(again.stateOf("A")).toBe("RUNNING");
  const last = told
    .flatMap(({ components }) => components as { componentName: string; status: string }[])
    .findLast(({ componentName }) => componentName === "A");
  expect(last?.status).toBe("RUNNING");
});

import { zipSync } from "fflate";
import { expect, test } from "vitest";
import type { DrivenClock } from "@coalmine/runtime";
import { deviceUnderTest, groupDocument, thingDocument } from "./testing/device.ts";
import type { MemoryCloud } from "./testing/memory-cloud.ts";
import type { ScriptedProcess } from "./testing/scripted-launcher.ts";

const run = (script = "stay") => ({ Lifecycle: { Run: script } });
const details = (payload: unknown) => (payload as { statusDetails: Record<string, string> }).statusDetails;

test("a group's deployment installs, and reports IN_PROGRESS, then SUCCEEDED [core-device-6.1]", async () => {
  const { cloud, device, launcher, ...it } = await deviceUnderTest();
  const zip = zipSync({ "main.mjs": new TextEncoder().encode("hello") });
  cloud.addComponent(
    "A",
    "1.0.0",
    {
      Lifecycle: { Run: "stay; say {artifacts:decompressedPath}/a {configuration:/x} {iot:thingName}" },
      Configuration: { x: 7 },
    },
    { "a.zip": zip },
  );
  cloud.deployJob("job-1", groupDocument(1, { A: { version: "1.0.0" } }));
  await it.run(5000);
  expect(it.stateOf("A")).toBe("RUNNING");
  expect(cloud.statusesOf("job-1")).toEqual([
    { thingName: "T", jobId: "job-1", status: "IN_PROGRESS", statusDetails: {} },
    {
      thingName: "T",
      jobId: "job-1",
      status: "SUCCEEDED",
      statusDetails: { "detailed-deployment-status": "SUCCESSFUL" },
    },
  ]);
  expect(cloud.resolveRequests[0]).toEqual({
    platform: { attributes: { os: "linux", architecture: "amd64" } },
    componentCandidates: [{ componentName: "A", versionRequirements: { "thinggroup/fleet": "=1.0.0" } }],
  });
  expect(launcher.launched[0]?.command.script).toBe(
    "stay; say /greengrass/v2/packages/artifacts-unarchived/A/1.0.0/a 7 T",
  );
  const last = cloud.fleetStatuses().at(-1);
  expect(last).toMatchObject({
    messageType: "PARTIAL",
    trigger: "THING_GROUP_DEPLOYMENT",
    overallDeviceStatus: "HEALTHY",
  });
  expect(device.isIdle).toBe(true);
});

test("a deployment for the thing itself is reported in its shadow [core-device-6.2]", async () => {
  const { cloud, ...it } = await deviceUnderTest();
  cloud.addComponent("A", "1.0.0", run());
  cloud.deployShadow(thingDocument(1, { A: { version: "1.0.0" } }));
  await it.run(5000);
  expect(cloud.reported).toMatchObject({
    fleetConfigurationArnForStatus: "arn:aws:greengrass:us-east-1:123456789012:configuration:thing/T:1",
    status: "SUCCEEDED",
    statusDetails: { detailedStatus: "SUCCESSFUL" },
    ggcVersion: "2.18.0",
  });
  const again = await it.restarted();
  await again.run(60_000);
  const updates = cloud.published.filter(({ topic }) =>
    topic.endsWith("AWSManagedGreengrassV2Deployment/update"),
  );
  expect(updates.length).toBe(2);
});

test("a component that breaks is rolled back, with the nucleus's words [core-device-6.3]", async () => {
  const { cloud, ...it } = await deviceUnderTest();
  cloud.addComponent("A", "1.0.0", { ...run(), Configuration: { kept: 1 } });
  cloud.addComponent("A", "2.0.0", { Lifecycle: { Run: "exit 3" }, Configuration: { kept: 2, fresh: 3 } });
  cloud.addComponent("B", "1.0.0", run());
  cloud.deployJob("job-1", groupDocument(1, { A: { version: "1.0.0" } }));
  await it.run(5000);
  cloud.deployJob("job-2", groupDocument(2, { A: { version: "2.0.0" }, B: { version: "1.0.0" } }));
  await it.run(60_000);
  const status = cloud.statusesOf("job-2").at(-1);
  expect(status?.["status"]).toBe("FAILED");
  expect(details(status)).toEqual({
    "detailed-deployment-status": "FAILED_ROLLBACK_COMPLETE",
    "deployment-failure-cause": "Service A in broken state after deployment",
    "deployment-error-stack": '["DEPLOYMENT_FAILURE","COMPONENT_UPDATE_ERROR","COMPONENT_BROKEN"]',
    "deployment-error-types": '["USER_COMPONENT_ERROR"]',
  });
  expect([it.stateOf("A"), it.versionOf("A"), it.stateOf("B")]).toEqual(["RUNNING", "1.0.0", undefined]);
  expect(it.device.configurationOf("A")).toEqual({ kept: 1 });
  expect(it.launcher.running()).toEqual(["A"]);
});

test("without rollback the broken component stays, and the group's wish is recorded [core-device-6.4]", async () => {
  const { cloud, ...it } = await deviceUnderTest();
  cloud.addComponent("A", "1.0.0", run("exit 1"));
  cloud.deployJob(
    "job-1",
    groupDocument(1, { A: { version: "1.0.0" } }, { failureHandlingPolicy: "DO_NOTHING" }),
  );
  await it.run(60_000);
  expect(details(cloud.statusesOf("job-1").at(-1))["detailed-deployment-status"]).toBe(
    "FAILED_ROLLBACK_NOT_REQUESTED",
  );
  expect(it.stateOf("A")).toBe("BROKEN");
});

test("what no group asks for any more is uninstalled after success, and its work folder stays [core-device-6.5] [core-device-6.34]", async () => {
  const { cloud, root, ...it } = await deviceUnderTest();
  cloud.addComponent("A", "1.0.0", { Lifecycle: { Run: "stay", Uninstall: "exit 0" } });
  cloud.addComponent("B", "1.0.0", run());
  cloud.deployJob("job-1", groupDocument(1, { A: { version: "1.0.0" } }));
  await it.run(5000);
  cloud.deployJob("job-2", groupDocument(2, { B: { version: "1.0.0" } }));
  await it.run(20_000);
  expect([it.stateOf("A"), it.stateOf("B")]).toEqual([undefined, "RUNNING"]);
  expect(it.launcher.steps()).toContain("A uninstall");
  expect(await root.list("work")).toContain("A");
});

test("several groups' roots stand beside each other; a conflict names each side [core-device-6.6]", async () => {
  const { cloud, ...it } = await deviceUnderTest();
  cloud.groups = ["fleet", "other"];
  cloud.addComponent("A", "1.0.0", run());
  cloud.addComponent("A", "1.1.0", run());
  cloud.addComponent("B", "1.0.0", run());
  cloud.deployJob("job-1", groupDocument(1, { A: { version: "1.0.0" } }));
  await it.run(5000);
  cloud.deployJob("job-2", groupDocument(2, { B: { version: "1.0.0" } }, {}, "other"));
  await it.run(5000);
  expect([it.stateOf("A"), it.stateOf("B")]).toEqual(["RUNNING", "RUNNING"]);
  cloud.deployJob("job-3", groupDocument(3, { A: { version: "1.1.0" } }, {}, "other"));
  await it.run(5000);
  expect(details(cloud.statusesOf("job-3").at(-1))).toMatchObject({
    "detailed-deployment-status": "FAILED_NO_STATE_CHANGE",
    "deployment-error-stack":
      '["DEPLOYMENT_FAILURE","NO_AVAILABLE_COMPONENT_VERSION","COMPONENT_VERSION_REQUIREMENTS_NOT_MET"]',
    "deployment-error-types": '["REQUEST_ERROR"]',
  });
  cloud.groups = ["other"];
  cloud.deployJob("job-4", groupDocument(4, { B: { version: "1.0.0" } }, {}, "other"));
  await it.run(20_000);
  expect(it.stateOf("A")).toBeUndefined();
});

test("an older deployment of the same group is rejected [core-device-6.7]", async () => {
  const { cloud, ...it } = await deviceUnderTest();
  cloud.addComponent("A", "1.0.0", run());
  cloud.deployJob("job-2", groupDocument(2, { A: { version: "1.0.0" } }));
  await it.run(5000);
  cloud.deployJob("job-1", groupDocument(1, { A: { version: "1.0.0" } }));
  await it.run(5000);
  const status = cloud.statusesOf("job-1").at(-1);
  expect(status?.["status"]).toBe("REJECTED");
  expect(details(status)["deployment-error-stack"]).toBe(
    '["DEPLOYMENT_REJECTED","REJECTED_STALE_DEPLOYMENT"]',
  );
});

test("an artifact that never fits its digest fails the deployment after ten tries [core-device-3.2]", async () => {
  const { cloud, ...it } = await deviceUnderTest();
  cloud.addComponent("A", "1.0.0", run(), { "a.txt": new TextEncoder().encode("the right bytes") });
  cloud.spoil("A", "1.0.0", "a.txt");
  cloud.deployJob("job-1", groupDocument(1, { A: { version: "1.0.0" } }));
  await it.run(15 * 60_000);
  expect(cloud.downloads.length).toBe(10);
  expect(details(cloud.statusesOf("job-1").at(-1))["deployment-error-stack"]).toContain(
    "ARTIFACT_CHECKSUM_MISMATCH",
  );
});

test("an artifact that is there is not fetched again, and old versions go after success [core-device-3.1]", async () => {
  const { cloud, root, ...it } = await deviceUnderTest();
  for (const version of ["1.0.0", "2.0.0", "3.0.0"])
    cloud.addComponent("A", version, run(), { "a.txt": new TextEncoder().encode(`bytes of ${version}`) });
  for (const [index, version] of ["1.0.0", "2.0.0", "3.0.0", "3.0.0"].entries()) {
    cloud.deployJob(`job-${index}`, groupDocument(index, { A: { version } }));
    await it.run(20_000);
  }
  expect(await root.list("packages/artifacts/A")).toEqual(["2.0.0", "3.0.0"]);
  expect(cloud.downloads.filter((url) => url.includes("3.0.0")).length).toBe(1);
});

test("a status that could not be sent is sent after the link is back [core-device-7.1]", async () => {
  const { cloud, ...it } = await deviceUnderTest();
  cloud.addComponent("A", "1.0.0", { Lifecycle: { Install: { Script: "stay", Timeout: 600 }, Run: "stay" } });
  cloud.deployJob("job-1", groupDocument(1, { A: { version: "1.0.0" } }));
  await it.run(5000);
  cloud.disconnect();
  it.launcher.launched[0]?.exit(0);
  await it.run(60_000);
  expect(it.stateOf("A")).toBe("RUNNING");
  expect(cloud.statusesOf("job-1").length).toBe(1);
  cloud.connect(false);
  await it.run(5000);
  expect(cloud.statusesOf("job-1").at(-1)?.["status"]).toBe("SUCCEEDED");
  expect(cloud.fleetStatuses().some((status) => status["trigger"] === "THING_GROUP_DEPLOYMENT")).toBe(true);
});

test("a deployment made while the device was offline arrives on reconnecting [core-device-7.2]", async () => {
  const { cloud, ...it } = await deviceUnderTest();
  cloud.addComponent("A", "1.0.0", run());
  cloud.disconnect();
  cloud.deployJob("job-1", groupDocument(1, { A: { version: "1.0.0" } }));
  await it.run(60_000);
  expect(it.stateOf("A")).toBeUndefined();
  cloud.connect(false);
  await it.run(5000);
  expect(it.stateOf("A")).toBe("RUNNING");
});

test("a device without a network starts what it has [core-device-7.3]", async () => {
  const first = await deviceUnderTest();
  first.cloud.addComponent("A", "1.0.0", run());
  first.cloud.deployJob("job-1", groupDocument(1, { A: { version: "1.0.0" } }));
  await first.run(5000);
  await first.device.cut();
  first.cloud.online = false;
  const second = await first.restarted();
  await second.run(0);
  expect(second.stateOf("A")).toBe("RUNNING");
});

test("a canceled job that has not changed the device stops, and says nothing more [core-device-6.8]", async () => {
  const { cloud, ...it } = await deviceUnderTest();
  cloud.addComponent("A", "1.0.0", run(), { "a.txt": new Uint8Array([2]) });
  cloud.spoil("A", "1.0.0", "a.txt");
  cloud.deployJob("job-1", groupDocument(1, { A: { version: "1.0.0" } }));
  await it.run(5000);
  cloud.cancelJob("job-1");
  await it.run(120_000);
  expect(it.device.isIdle).toBe(true);
  expect(it.stateOf("A")).toBeUndefined();
  expect(cloud.statusesOf("job-1").map((payload) => payload["status"])).toEqual(["IN_PROGRESS"]);
});

/** `slow N` ends with code N after a while. */
const programs = (clock: DrivenClock) => ({
  slow: (process: ScriptedProcess) =>
    void clock.timer(3000, () => process.exit(Number(process.command.script.split(" ")[1]))),
});

test("whenever the power is cut, the next start brings the deployment to its end [core-device-7.4]", async () => {
  for (let cutMs = 0; cutMs <= 12_000; cutMs += 250) {
    const first = await deviceUnderTest({ programs });
    const { cloud } = first;
    cloud.addComponent("A", "1.0.0", run());
    cloud.addComponent("A", "2.0.0", {
      Lifecycle: { Install: { Script: "slow 0", Timeout: 60 }, Run: "stay" },
    });
    cloud.addComponent("B", "1.0.0", run());
    cloud.deployJob("job-1", groupDocument(1, { A: { version: "1.0.0" }, B: { version: "1.0.0" } }));
    await first.run(5000);
    cloud.deployJob("job-2", groupDocument(2, { A: { version: "2.0.0" } }));
    await first.run(cutMs);
    await first.device.cut();
    const second = await first.restarted();
    await second.run(60_000);
    const where = `cut after ${cutMs} ms`;
    const found = [second.stateOf("A"), second.versionOf("A"), second.stateOf("B")];
    expect(found, where).toEqual(["RUNNING", "2.0.0", undefined]);
    expect(statusesOf(cloud), where).toEqual(["SUCCEEDED", "SUCCEEDED"]);
    expect(second.launcher.running(), where).toEqual(["A"]);
  }
});

test("whenever the power is cut during a rollback, the next start ends where it began [core-device-7.5]", async () => {
  for (let cutMs = 0; cutMs <= 15_000; cutMs += 500) {
    const first = await deviceUnderTest({ programs });
    const { cloud } = first;
    cloud.addComponent("A", "1.0.0", run());
    cloud.addComponent("A", "2.0.0", { Lifecycle: { Startup: "slow 4" } });
    cloud.deployJob("job-1", groupDocument(1, { A: { version: "1.0.0" } }));
    await first.run(5000);
    cloud.deployJob("job-2", groupDocument(2, { A: { version: "2.0.0" } }));
    await first.run(cutMs);
    await first.device.cut();
    const second = await first.restarted();
    await second.run(90_000);
    const where = `cut after ${cutMs} ms`;
    expect([second.stateOf("A"), second.versionOf("A")], where).toEqual(["RUNNING", "1.0.0"]);
    expect(statusesOf(cloud), where).toEqual(["SUCCEEDED", "FAILED"]);
  }
});

function statusesOf(cloud: MemoryCloud): string[] {
  return cloud.jobs.map((job) => job.status);
}

test("a lifecycle that would grow past the device's memory fails its deployment [core-device-2.5]", async () => {
  const { cloud, ...it } = await deviceUnderTest();
  const Configuration = { long: "x".repeat(100_000) };
  cloud.addComponent("A", "1.0.0", { ...run("stay; say {configuration:/long}".repeat(50)), Configuration });
  cloud.deployJob("job-1", groupDocument(1, { A: { version: "1.0.0" } }));
  await it.run(5000);
  expect(details(cloud.statusesOf("job-1").at(-1))).toMatchObject({
    "detailed-deployment-status": "FAILED_NO_STATE_CHANGE",
    "deployment-error-stack": '["DEPLOYMENT_FAILURE","CONFIG_INTERPOLATE_ERROR"]',
  });
});

test("a rollback does not wait for what was broken before, nor for what depends on it [core-device-6.27]", async () => {
  const { cloud, ...it } = await deviceUnderTest();
  cloud.addComponent("Base", "1.0.0", run("exit 1"));
  cloud.addComponent("Top", "1.0.0", {
    ...run(),
    Dependencies: { Base: { VersionRequirement: "*", DependencyType: "HARD" } },
  });
  cloud.addComponent("Other", "1.0.0", run("exit 1"));
  const top = { Top: { version: "1.0.0" } };
  cloud.deployJob("job-1", groupDocument(1, top, { failureHandlingPolicy: "DO_NOTHING" }));
  await it.run(20_000);
  expect([it.stateOf("Base"), it.stateOf("Top")]).toEqual(["BROKEN", "INSTALLED"]);
  cloud.deployJob("job-2", groupDocument(2, { ...top, Other: { version: "1.0.0" } }));
  await it.run(60_000);
  expect(details(cloud.statusesOf("job-2").at(-1))["detailed-deployment-status"]).toBe(
    "FAILED_ROLLBACK_COMPLETE",
  );
});

test("attributes of the platform are the machine's, with those that the nucleus's configuration puts in their place or beside them [core-device-6.28]", async () => {
  const it = await deviceUnderTest({
    nucleusConfiguration: { platformOverride: { architecture: "riscv", board: "v2", wrong: 5 } },
  });
  it.cloud.addComponent("A", "1.0.0", { Lifecycle: { Run: "stay" } });
  it.cloud.deployJob("job", groupDocument(1, { A: { version: "1.0.0" } }));
  await it.run(5000);
  expect(it.cloud.resolveRequests.at(-1)?.platform.attributes).toEqual({
    os: "linux",
    architecture: "riscv",
    board: "v2",
  });
});

test("a configuration's variables of the system are replaced where the nucleus is told so [core-device-2.7]", async () => {
  const texts: unknown[] = [];
  for (const interpolateComponentConfiguration of [false, true]) {
    const it = await deviceUnderTest({ nucleusConfiguration: { interpolateComponentConfiguration } });
    const Configuration = {
      folder: "{work:path}/x",
      other: "{configuration:/folder}",
      list: ["{iot:thingName}"],
    };
    it.cloud.addComponent("A", "1.0.0", {
      Lifecycle: { Run: "say {configuration:/folder}; stay" },
      Configuration,
    });
    it.cloud.deployJob("job", groupDocument(1, { A: { version: "1.0.0" } }));
    await it.run(5000);
    texts.push(it.device.configurationOf("A"), it.launcher.launched[0]?.command.script);
  }
  const work = "/greengrass/v2/work/A";
  expect(texts).toEqual([
    { folder: "{work:path}/x", other: "{configuration:/folder}", list: ["{iot:thingName}"] },
    "say {work:path}/x; stay",
    { folder: `${work}/x`, other: "{configuration:/folder}", list: ["T"] },
    `say ${work}/x; stay`,
  ]);
});

test("what S3 refuses is told with S3's own codes [core-device-3.5]", async () => {
  for (const [status, stack] of [
    [403, ["S3_HEAD_OBJECT_ACCESS_DENIED", "S3_ERROR", "S3_ACCESS_DENIED"]],
    [404, ["S3_HEAD_OBJECT_RESOURCE_NOT_FOUND", "S3_ERROR", "S3_RESOURCE_NOT_FOUND"]],
  ] as const) {
    const it = await deviceUnderTest();
    it.cloud.addComponent("A", "1.0.0", {
      Manifests: [{ Lifecycle: {}, Artifacts: [{ Uri: `s3://refused/${status}` }] }],
    });
    it.cloud.deployJob("job", groupDocument(1, { A: { version: "1.0.0" } }));
    await it.run(5000);
    const told = it.cloud.statusesOf("job").at(-1) as { statusDetails: Record<string, string> } | undefined;
    expect(JSON.parse(told?.statusDetails["deployment-error-stack"] ?? "[]")).toEqual([
      "DEPLOYMENT_FAILURE",
      "ARTIFACT_DOWNLOAD_ERROR",
      ...stack,
    ]);
  }
});

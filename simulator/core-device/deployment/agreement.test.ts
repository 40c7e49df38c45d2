import { expect, test } from "vitest";
import { install, ipcOf } from "../testing/component.ts";
import { deviceUnderTest, groupDocument } from "../testing/device.ts";
import { noStream } from "../testing/no-stream.ts";

const statusOf = (it: Awaited<ReturnType<typeof deviceUnderTest>>, job: string) => {
  const last = it.cloud.statusesOf(job).at(-1) as
    | { status: string; statusDetails: Record<string, string> }
    | undefined;
  return [last?.status, last?.statusDetails["detailed-deployment-status"]];
};

test("an update waits as long as a component wants it to, round after round, and all hear when it is done [core-device-6.9]", async () => {
  const it = await deviceUnderTest();
  await install(it, { A: {}, B: {} });
  const asked: number[] = [];
  const started = it.clock.now();
  let done = 0;
  await ipcOf(it, "A").subscribeToComponentUpdates({
    before: () => {
      asked.push(it.clock.now() - started);
      return asked.length < 3 ? 10_000 : 0;
    },
    after: () => done++,
  });
  it.cloud.addComponent("B", "2.0.0", { Lifecycle: { Run: "stay" } });
  it.cloud.deployJob("job", groupDocument(2, { A: { version: "1.0.0" }, B: { version: "2.0.0" } }));
  await it.run(20_000);
  expect(it.versionOf("B")).toBe("1.0.0");
  await it.run(60_000);
  expect(it.versionOf("B")).toBe("2.0.0");
  expect(asked.length).toBe(3);
  expect((asked[1] ?? 0) - (asked[0] ?? 0)).toBeGreaterThanOrEqual(10_000);
  expect(done).toBe(1);
});

test("without an answer the update goes on when the policy's time is over [core-device-6.10]", async () => {
  const it = await deviceUnderTest();
  await install(it, { A: {} });
  await ipcOf(it, "A").subscribeToComponentUpdates({
    before: () => new Promise<number>(() => undefined),
    after: () => undefined,
  });
  it.cloud.deployJob(
    "job",
    groupDocument(2, { A: { version: "1.0.0", configurationUpdate: { merge: { x: 1 } } } }),
  );
  await it.run(59_000);
  expect(it.device.configurationOf("A")).toEqual({});
  await it.run(10_000);
  expect(it.device.configurationOf("A")).toEqual({ x: 1 });
});

test("a configuration that a component refuses changes nothing, and its sentence is the failure's cause [core-device-6.11]", async () => {
  const it = await deviceUnderTest();
  await install(it, { A: { rate: 1 } });
  await ipcOf(it, "A").subscribeToValidateConfigurationUpdates((proposed) =>
    Number(proposed["rate"]) > 5
      ? { status: "REJECTED", message: "rate is at most 5" }
      : { status: "ACCEPTED" },
  );
  const merge = (rate: number) => ({ A: { version: "1.0.0", configurationUpdate: { merge: { rate } } } });
  it.cloud.deployJob("good", groupDocument(2, merge(4)));
  await it.run(10_000);
  expect(statusOf(it, "good")).toEqual(["SUCCEEDED", "SUCCESSFUL"]);
  it.cloud.deployJob("bad", groupDocument(3, merge(6)));
  await it.run(10_000);
  expect(statusOf(it, "bad")).toEqual(["FAILED", "FAILED_NO_STATE_CHANGE"]);
  const details = it.cloud.statusesOf("bad").at(-1)?.["statusDetails"] as Record<string, string>;
  expect(details["deployment-failure-cause"]).toContain("rate is at most 5");
  expect(details["deployment-error-stack"]).toBe(
    '["DEPLOYMENT_FAILURE","COMPONENT_CONFIGURATION_NOT_VALID"]',
  );
  expect(it.device.configurationOf("A")).toEqual({ rate: 4 });
});

test("where one changed component listens, one that does not answer fails the deployment [core-device-6.12]", async () => {
  const it = await deviceUnderTest();
  await install(it, { A: {}, B: {} });
  await ipcOf(it, "A").subscribeToValidateConfigurationUpdates(() => ({ status: "ACCEPTED" }));
  const update = { version: "1.0.0", configurationUpdate: { merge: { x: 1 } } };
  it.cloud.deployJob("job", groupDocument(2, { A: update, B: update }));
  await it.run(90_000);
  expect(statusOf(it, "job")).toEqual(["FAILED", "FAILED_NO_STATE_CHANGE"]);
  expect(it.device.configurationOf("A")).toEqual({});
});

test("a running component is not restarted for configuration alone, and hears of it [core-device-6.13]", async () => {
  const it = await deviceUnderTest();
  await install(it, { A: { rate: 1 } });
  const heard: string[] = [];
  await ipcOf(it, "A").subscribeToConfigurationUpdate([], (path) => heard.push(path.join("/")));
  it.cloud.deployJob(
    "job",
    groupDocument(2, { A: { version: "1.0.0", configurationUpdate: { merge: { rate: 2 } } } }),
  );
  await it.run(10_000);
  expect(heard).toEqual(["rate"]);
  expect(it.launcher.steps()).toEqual(["A run"]);
});

test("what a component writes while its update is planned is newer than the plan, and stays [core-device-2.6]", async () => {
  const it = await deviceUnderTest();
  await install(it, { A: { rate: 1, limit: 1, other: 1 } });
  const a = ipcOf(it, "A");
  await a.subscribeToComponentUpdates({
    before: async () => {
      await a.updateConfiguration([], { rate: 7, limit: 7, own: 7 });
      return 0;
    },
    after: () => undefined,
  });
  const merge = { limit: 2, other: 2 };
  it.cloud.deployJob("job", groupDocument(2, { A: { version: "1.0.0", configurationUpdate: { merge } } }));
  await it.run(20_000);
  expect(statusOf(it, "job")).toEqual(["SUCCEEDED", "SUCCESSFUL"]);
  // `own` was not in the plan.
  expect(it.device.configurationOf("A")).toEqual({ rate: 7, limit: 7, other: 2 });
});

test("a deployment's configuration is as new as its making, or as its processing where the nucleus is told so [core-device-2.6]", async () => {
  for (const [source, limit] of [
    ["deploymentCreationTime", 7],
    ["deploymentProcessingTime", 2],
  ] as const) {
    const it = await deviceUnderTest({
      nucleusConfiguration: { deploymentConfigurationTimeSource: source },
    });
    await install(it, { A: { limit: 1, untouched: 1 } });
    const a = ipcOf(it, "A");
    await a.updateConfiguration([], { limit: 7 });
    await it.run(1000);
    const merge = { limit: 2 };
    it.cloud.deployJob("job", groupDocument(2, { A: { version: "1.0.0", configurationUpdate: { merge } } }));
    await it.run(20_000);
    expect(it.device.configurationOf("A"), source).toEqual({ limit, untouched: 1 });
    // Older than the deployment, which did not name the value.
    const writing = it.device.service.open(
      "A",
      "UpdateConfiguration",
      { keyPath: [], timestamp: 1, valueToMerge: { untouched: 2 } },
      noStream(),
    );
    await expect(writing).rejects.toMatchObject({ code: "FailedUpdateConditionCheckError" });
    expect(it.device.configurationOf("A")["untouched"]).toBe(1);
  }
});

test("listeners are asked before a deployment that changes nothing too, and before none that skips them [core-device-6.29]", async () => {
  const it = await deviceUnderTest();
  await install(it, { A: {} });
  const heard: string[] = [];
  await ipcOf(it, "A").subscribeToComponentUpdates({
    before: () => {
      heard.push("before");
      return 0;
    },
    after: () => heard.push("after"),
  });
  const same = { A: { version: "1.0.0" } };
  it.cloud.deployJob("same", groupDocument(2, same));
  await it.run(10_000);
  expect(heard).toEqual(["before", "after"]);
  const componentUpdatePolicy = { timeout: 60, action: "SKIP_NOTIFY_COMPONENTS" };
  it.cloud.deployJob("skips", groupDocument(3, same, { componentUpdatePolicy }));
  await it.run(10_000);
  expect(statusOf(it, "skips")).toEqual(["SUCCEEDED", "SUCCESSFUL"]);
  expect(heard).toEqual(["before", "after"]);
});

test("a deployment taken back while a component has it wait is dropped, and listeners hear that it is over; later it is carried out [core-device-6.30]", async () => {
  const it = await deviceUnderTest();
  await install(it, { A: {} });
  let later = 600_000;
  let over = 0;
  await ipcOf(it, "A").subscribeToComponentUpdates({ before: () => later, after: () => over++ });
  it.cloud.addComponent("A", "2.0.0", {
    Lifecycle: { Install: { Script: "stay", Timeout: 60 }, Run: "stay" },
  });
  it.cloud.deployJob("waits", groupDocument(2, { A: { version: "2.0.0" } }));
  await it.run(30_000);
  it.cloud.cancelJob("waits");
  await it.run(5000);
  expect([it.device.isIdle, it.versionOf("A"), over]).toEqual([true, "1.0.0", 1]);
  later = 0;
  it.cloud.deployJob("changes", groupDocument(3, { A: { version: "2.0.0" } }));
  await it.run(10_000);
  it.cloud.cancelJob("changes");
  await it.run(5000);
  it.launcher.launched.at(-1)?.exit(0);
  await it.run(5000);
  expect([it.device.isIdle, it.versionOf("A"), it.stateOf("A")]).toEqual([true, "2.0.0", "RUNNING"]);
});

test("what has no scripts is not asked about its configuration [core-device-6.31]", async () => {
  const it = await deviceUnderTest();
  const plugin = "aws.greengrass.ShadowManager";
  await install(it, { A: {}, [plugin]: { x: 0 } });
  await ipcOf(it, "A").subscribeToValidateConfigurationUpdates(() => ({ status: "ACCEPTED" }));
  const update = { version: "1.0.0", configurationUpdate: { merge: { x: 1 } } };
  it.cloud.deployJob("job", groupDocument(2, { A: update, [plugin]: update }));
  await it.run(30_000);
  expect(statusOf(it, "job")).toEqual(["SUCCEEDED", "SUCCESSFUL"]);
});

import type { JsonObject } from "@coalmine/ports";
import type { DrivenClock } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { ipcOf } from "../testing/component.ts";
import { deviceUnderTest, groupDocument } from "../testing/device.ts";
import type { ScriptedProcess } from "../testing/scripted-launcher.ts";

type Device = Awaited<ReturnType<typeof deviceUnderTest>>;

/** A component whose run script stays, with this bootstrap step. */
const boot = (Bootstrap: string | JsonObject, more: JsonObject = {}) => ({
  Lifecycle: { Bootstrap, Run: "stay" },
  ...more,
});

async function deploy(it: Device, revision: number, versions: Record<string, string>): Promise<void> {
  const components = Object.fromEntries(
    Object.entries(versions).map(([name, version]) => [name, { version }]),
  );
  it.cloud.deployJob(`job-${revision}`, groupDocument(revision, components));
  await it.run(60_000);
}

const statusOf = (it: Device, job: string) => {
  const last = it.cloud.statusesOf(job).at(-1);
  return [last?.["status"], (last?.["statusDetails"] as JsonObject | undefined)?.["deployment-error-stack"]];
};
const restartsOf = (it: Device) =>
  it.events.flatMap((event) => (event.kind === "restart" ? [event.what] : []));

test("bootstrap steps of new and changed components run before anything is changed, then the nucleus restarts and the rest follows [core-device-6.21]", async () => {
  const it = await deviceUnderTest();
  it.cloud.addComponent("Old", "1.0.0", { Lifecycle: { Run: "stay" } });
  it.cloud.addComponent("Base", "1.0.0", boot("exit 0"));
  it.cloud.addComponent(
    "Top",
    "1.0.0",
    boot("exit 0", { Dependencies: { Base: { VersionRequirement: "*" } } }),
  );
  await deploy(it, 1, { Old: "1.0.0" });
  it.launcher.launched.length = 0;
  await deploy(it, 2, { Old: "1.0.0", Top: "1.0.0" });
  expect(statusOf(it, "job-2")).toEqual(["SUCCEEDED", undefined]);
  expect(restartsOf(it)).toEqual(["nucleus"]);
  expect(it.launcher.steps().slice(0, 2)).toEqual(["Base bootstrap", "Top bootstrap"]);
  expect(it.launcher.steps().slice(2).toSorted()).toEqual(["Base run", "Old run", "Top run"]);
  expect(["Old", "Base", "Top"].map(it.stateOf)).toEqual(["RUNNING", "RUNNING", "RUNNING"]);
  // What did not change is not bootstrapped again.
  it.launcher.launched.length = 0;
  it.cloud.addComponent("Old", "2.0.0", { Lifecycle: { Run: "stay" } });
  await deploy(it, 3, { Old: "2.0.0", Top: "1.0.0" });
  expect(it.launcher.steps()).toEqual(["Old run"]);
  expect(restartsOf(it)).toEqual(["nucleus"]);
});

test("steps that end with 100 and 101 restart nucleus and device, and none runs twice [core-device-6.22]", async () => {
  const it = await deviceUnderTest();
  for (const [name, script] of [
    ["A", "exit 100"],
    ["B", "exit 101"],
    ["C", "exit 0"],
  ] as const)
    it.cloud.addComponent(name, "1.0.0", boot(script));
  await deploy(it, 1, { A: "1.0.0", B: "1.0.0", C: "1.0.0" });
  expect(statusOf(it, "job-1")).toEqual(["SUCCEEDED", undefined]);
  expect(restartsOf(it)).toEqual(["nucleus", "device", "nucleus"]);
  const bootstraps = it.launcher.steps().filter((step) => step.endsWith("bootstrap"));
  expect(bootstraps).toEqual(["A bootstrap", "B bootstrap", "C bootstrap"]);
});

test.each([
  ["exit 3", "COMPONENT_BOOTSTRAP_ERROR"],
  [{ Script: "stay", Timeout: 5 }, "COMPONENT_BOOTSTRAP_TIMEOUT"],
])("a bootstrap step %j leads back to where the device was [core-device-6.23]", async (step, code) => {
  const it = await deviceUnderTest();
  const old = { Script: "exit 0", BootstrapOnRollback: true };
  it.cloud.addComponent("A", "1.0.0", boot(old, { Configuration: { x: 1 } }));
  it.cloud.addComponent("A", "2.0.0", boot(step, { Configuration: { y: 2 } }));
  await deploy(it, 1, { A: "1.0.0" });
  it.launcher.launched.length = 0;
  await deploy(it, 2, { A: "2.0.0" });
  expect(statusOf(it, "job-2")).toEqual([
    "FAILED",
    `["DEPLOYMENT_FAILURE","COMPONENT_UPDATE_ERROR","${code}"]`,
  ]);
  expect(it.cloud.statusesOf("job-2").at(-1)).toMatchObject({
    statusDetails: { "detailed-deployment-status": "FAILED_ROLLBACK_COMPLETE" },
  });
  expect([it.versionOf("A"), it.stateOf("A"), it.device.configurationOf("A")]).toEqual([
    "1.0.0",
    "RUNNING",
    { x: 1 },
  ]);
  expect(it.launcher.steps()).toEqual(["A bootstrap", "A bootstrap", "A run"]);
});

test("a component that breaks after its bootstrap is rolled back through a restart [core-device-6.23]", async () => {
  const it = await deviceUnderTest();
  it.cloud.addComponent("A", "1.0.0", { Lifecycle: { Run: "stay" } });
  it.cloud.addComponent("A", "2.0.0", { Lifecycle: { Bootstrap: "exit 0", Run: "exit 1" } });
  await deploy(it, 1, { A: "1.0.0" });
  await deploy(it, 2, { A: "2.0.0" });
  expect(it.cloud.statusesOf("job-2").at(-1)).toMatchObject({
    statusDetails: { "detailed-deployment-status": "FAILED_ROLLBACK_COMPLETE" },
  });
  expect([it.versionOf("A"), it.stateOf("A")]).toEqual(["1.0.0", "RUNNING"]);
  expect(restartsOf(it)).toEqual(["nucleus", "nucleus"]);
  expect(it.launcher.running()).toEqual(["A"]);
});

test("listeners hear that the nucleus will restart, and its own configuration restarts it [core-device-6.24]", async () => {
  const it = await deviceUnderTest();
  it.cloud.addComponent("A", "1.0.0", { Lifecycle: { Run: "stay" } });
  it.cloud.addComponent("aws.greengrass.Nucleus", "2.18.0", { Lifecycle: {} });
  await deploy(it, 1, { A: "1.0.0" });
  const heard: unknown[] = [];
  await it.device.service.open(
    "A",
    "SubscribeToComponentUpdates",
    {},
    {
      send: (_, event) => {
        heard.push(event);
        const { preUpdateEvent } = event as { preUpdateEvent?: { deploymentId: string } };
        if (preUpdateEvent !== undefined)
          void it.device.service.open(
            "A",
            "DeferComponentUpdate",
            { deploymentId: preUpdateEvent.deploymentId, recheckAfterMs: 0 },
            { send: () => undefined, end: () => undefined, onClose: () => undefined },
          );
      },
      end: () => undefined,
      onClose: () => undefined,
    },
  );
  const merge = { runWithDefault: { posixUser: "ggc_user" } };
  it.cloud.deployJob(
    "job-2",
    groupDocument(2, {
      A: { version: "1.0.0" },
      "aws.greengrass.Nucleus": { version: "2.18.0", configurationUpdate: { merge } },
    }),
  );
  await it.run(60_000);
  expect(heard[0]).toMatchObject({ preUpdateEvent: { isGgcRestarting: true } });
  expect(statusOf(it, "job-2")).toEqual(["SUCCEEDED", undefined]);
  expect(restartsOf(it)).toEqual(["nucleus"]);
  await ipcOf(it, "A").getConfiguration([]);
});

/** `slow N` ends with code N after three seconds. */
const programs = (clock: DrivenClock) => ({
  slow: (process: ScriptedProcess) =>
    void clock.timer(3000, () => process.exit(Number(process.command.script.split(" ")[1]))),
});

test.each([
  ["slow 100", "2.0.0", "SUCCEEDED"],
  ["slow 3", "1.0.0", "FAILED"],
])(
  "whenever the power is cut, a deployment with the bootstrap step %s comes to its end [core-device-6.25]",
  async (step, version, status) => {
    for (let cutMs = 0; cutMs <= 16_000; cutMs += 500) {
      const first = await deviceUnderTest({ programs });
      first.cloud.addComponent("A", "1.0.0", { Lifecycle: { Run: "stay" } });
      first.cloud.addComponent("A", "2.0.0", boot(step));
      first.cloud.addComponent("B", "1.0.0", boot("slow 0"));
      await deploy(first, 1, { A: "1.0.0" });
      const components = { A: { version: "2.0.0" }, B: { version: "1.0.0" } };
      first.cloud.deployJob("job-2", groupDocument(2, components));
      await first.run(cutMs);
      await first.device.cut();
      const second = await first.restarted();
      await second.run(120_000);
      const where = `cut after ${cutMs} ms`;
      expect([second.versionOf("A"), second.stateOf("A"), statusOf(second, "job-2")[0]], where).toEqual([
        version,
        "RUNNING",
        status,
      ]);
      expect(second.launcher.running().toSorted(), where).toEqual(version === "2.0.0" ? ["A", "B"] : ["A"]);
    }
  },
);

import { expect, test } from "vitest";
import { servicesUnderTest } from "../testing/services.ts";

test("a component with a run script goes NEW, INSTALLED, STARTING, RUNNING [core-device-4.1]", async () => {
  const device = servicesUnderTest();
  device.configure("A", { Install: "exit 0", Run: "stay" });
  device.services.apply(false);
  await device.run(10);
  expect(device.states).toEqual(["A INSTALLED", "A STARTING", "A RUNNING"]);
  expect(device.launcher.steps()).toEqual(["A install", "A run"]);
});

test("a run script that ends with 0 leaves the component FINISHED, one without scripts is FINISHED at once [core-device-4.2]", async () => {
  const device = servicesUnderTest();
  device.configure("Done", { Run: "exit 0" });
  device.configure("Bare", {});
  device.services.apply(false);
  await device.run(10);
  expect(device.stateOf("Done")).toBe("FINISHED");
  expect(device.stateOf("Bare")).toBe("FINISHED");
  expect(device.states).toContain("Done STOPPING");
});

test("three errors in a row from one state break a component, without back-off [core-device-4.3]", async () => {
  const device = servicesUnderTest();
  device.configure("A", { Run: "exit 3", Recover: "exit 0" });
  device.services.apply(false);
  await device.run(0);
  expect(device.stateOf("A")).toBe("BROKEN");
  expect(device.services.get("A")?.lifecycle.details).toMatchObject({
    code: "RUN_ERROR",
    reason: "An error occurred while running the component. The run script exited with code 3.",
  });
  expect(device.launcher.steps()).toEqual(["A run", "A recover", "A run", "A recover", "A run"]);
});

test("errors that are errorResetTime apart do not add up [core-device-4.4]", async () => {
  const device = servicesUnderTest();
  device.configure("A", { Run: "stay", errorResetTime: 10 });
  device.services.apply(false);
  for (let time = 0; time < 5; time++) {
    await device.run(10_000);
    device.launcher.launched.at(-1)?.exit(1);
  }
  await device.run(0);
  expect(device.stateOf("A")).toBe("RUNNING");
  for (let time = 0; time < 2; time++) {
    await device.run(1000);
    device.launcher.launched.at(-1)?.exit(1);
  }
  await device.run(0);
  expect(device.stateOf("A")).toBe("BROKEN");
});

test("an install that outlasts its timeout is terminated, then killed, and counts as an error [core-device-4.5]", async () => {
  const device = servicesUnderTest();
  device.configure("A", { Install: { Script: "deaf", Timeout: 20 } });
  device.services.apply(false);
  await device.run(24_999);
  expect(device.stateOf("A")).toBe("NEW");
  await device.run(1);
  expect(device.states[0]).toBe("A ERRORED");
  await device.run(60_000);
  expect(device.services.get("A")?.lifecycle.details?.code).toBe("INSTALL_TIMEOUT");
  expect(device.stateOf("A")).toBe("BROKEN");
});

test("a component waits for its HARD dependencies and is restarted when one leaves [core-device-4.6]", async () => {
  const device = servicesUnderTest();
  device.configure("Base", { Startup: { Script: "stay", Timeout: 600 } });
  device.configure("Hard", { Run: "stay" }, { dependencies: ["Base"] });
  device.configure("Soft", { Run: "stay" }, { dependencies: ["Base:SOFT"] });
  device.services.apply(false);
  await device.run(5000);
  expect([device.stateOf("Hard"), device.stateOf("Soft")]).toEqual(["INSTALLED", "RUNNING"]);
  device.services.get("Base")?.lifecycle.report("RUNNING");
  await device.run(0);
  expect(device.stateOf("Hard")).toBe("RUNNING");
  device.states.length = 0;
  device.services.get("Base")?.lifecycle.requestRestart();
  await device.run(60_000);
  expect(device.stateOf("Hard")).toBe("INSTALLED");
  device.services.get("Base")?.lifecycle.report("RUNNING");
  await device.run(0);
  expect(device.stateOf("Hard")).toBe("RUNNING");
  expect(device.states.filter((state) => state.startsWith("Soft"))).toEqual([]);
});

test("what a deployment does not change is left alone, and so are its dependents [core-device-4.14]", async () => {
  const device = servicesUnderTest();
  device.configure("Base", {});
  device.configure("Model", {});
  device.configure("Hard", { Run: "stay" }, { dependencies: ["Base", "Model:SOFT"] });
  device.services.apply(false);
  await device.run(10);
  expect([device.stateOf("Base"), device.stateOf("Hard")]).toEqual(["FINISHED", "RUNNING"]);
  device.states.length = 0;
  device.configure("Model", {}, { version: "2.0.0" });
  device.services.apply(true);
  await device.run(60_000);
  expect(device.states.filter((state) => !state.startsWith("Model"))).toEqual([]);
  expect(device.states.at(-1)).toBe("Model FINISHED");
});

test("skipped steps count as success [core-device-4.7]", async () => {
  const device = servicesUnderTest();
  device.launcher.paths.add("/there");
  device.configure("A", {
    Install: { Script: "exit 1", Skipif: "exists /there" },
    Startup: { Script: "exit 1", Skipif: "!onpath nothing" },
    Run: { Script: "stay", Skipif: "onpath nothing" },
  });
  device.services.apply(false);
  await device.run(0);
  expect(device.stateOf("A")).toBe("RUNNING");
  expect(device.launcher.steps()).toEqual(["A run"]);
});

test("a step that cannot be read is an error of its own kind [core-device-4.8]", async () => {
  const device = servicesUnderTest();
  device.configure("A", { Run: { Timeout: 5 } });
  device.services.apply(false);
  await device.run(0);
  expect(device.services.get("A")?.lifecycle.details?.code).toBe("RUN_CONFIG_NOT_VALID");
});

test.each([
  ["version", { version: "2.0.0" }, {}, ["A shutdown", "A install", "A run"]],
  ["install", {}, { Install: "exit 0; say x" }, ["A shutdown", "A install", "A run"]],
  ["run", {}, { Run: "stay; say x" }, ["A shutdown", "A run"]],
  ["setenv", {}, { Setenv: { KEY: "value" } }, ["A shutdown", "A run"]],
  ["user", { runWith: { posixUser: "other" } }, {}, ["A shutdown", "A install", "A run"]],
  ["dependencies", { dependencies: ["Base:SOFT"] }, {}, ["A shutdown", "A run"]],
  ["shutdown only", {}, { Shutdown: "exit 0; say x" }, []],
  ["configuration", { configuration: { a: 2 } }, {}, []],
  [
    "a leaf called version",
    { configuration: { model: { Version: "2" } } },
    {},
    ["A shutdown", "A install", "A run"],
  ],
  ["a leaf below setenv", { configuration: { setenv: { key: "b" } } }, {}, ["A shutdown", "A run"]],
  ["a leaf below shutdown", { configuration: { shutdown: { version: "b" } } }, {}, []],
])("a change of %s does what the nucleus does [core-device-4.9]", async (_, service, lifecycle, expected) => {
  const device = servicesUnderTest();
  device.configure("A", { Install: "exit 0", Run: "stay", Shutdown: "exit 0" }, { configuration: { a: 1 } });
  device.services.apply(false);
  await device.run(10);
  const before = device.launcher.launched.length;
  device.configure("A", lifecycle, service);
  device.services.apply(false);
  await device.run(60_000);
  expect(device.launcher.steps().slice(before)).toEqual(expected);
});

test("the shutdown script of the version that was started runs when another replaces it [core-device-4.10]", async () => {
  const device = servicesUnderTest();
  device.configure("A", { Run: "stay", Shutdown: "say old; exit 0" });
  device.services.apply(false);
  await device.run(10);
  device.configure("A", { Shutdown: "say new; exit 0" }, { version: "2.0.0" });
  device.services.apply(false);
  await device.run(60_000);
  const shutdown = device.launcher.launched.find(({ command }) => command.step === "shutdown");
  expect(shutdown?.command.script).toBe("say old; exit 0");
});

test("stopping ends dependents first, and kills what does not go [core-device-4.11]", async () => {
  const device = servicesUnderTest();
  device.configure("Base", { Run: "stay" });
  device.configure("Top", { Run: "deaf" }, { dependencies: ["Base"] });
  device.services.apply(false);
  await device.run(10);
  const stopped = device.services.stop();
  await device.run(4999);
  expect(device.launcher.running()).toEqual(["Base", "Top"]);
  await device.run(1);
  await stopped;
  expect(device.launcher.running()).toEqual([]);
});

test("a component's process gets the nucleus's environment, its own Setenv last [core-device-4.12]", async () => {
  const device = servicesUnderTest();
  device.configure("A", {
    Setenv: { AWS_REGION: "eu-west-1", X: "1" },
    Run: { Script: "stay", Setenv: { X: "2" } },
  });
  device.services.apply(false);
  await device.run(0);
  const environment = device.launcher.launched[0]?.command.environment ?? {};
  const workFolder = device.launcher.launched[0]?.command.workFolder;
  expect(environment).toMatchObject({
    AWS_IOT_THING_NAME: "T",
    AWS_REGION: "eu-west-1",
    AWS_DEFAULT_REGION: "us-east-1",
    GGC_VERSION: "2.18.0",
    X: "2",
    PATH: "/opt/node:/bin:/usr/bin:/sbin:/usr/sbin",
    AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT: "../../ipc.socket",
  });
  expect(environment["SVCUID"]).toBe(environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"]);
  expect(device.services.ownerOf(environment["SVCUID"] ?? "")).toBe("A");
  expect(workFolder).toBe("/greengrass/v2/work/A");
});

test("a start that is overtaken by a restart leaves no process behind [core-device-4.17]", async () => {
  const device = servicesUnderTest();
  device.configure("A", { Run: "stay" });
  device.services.apply(false);
  // As soon as it starts, before its script can have begun.
  while (device.stateOf("A") !== "STARTING") await Promise.resolve();
  device.services.get("A")?.lifecycle.requestRestart();
  await device.run(10);
  expect(device.stateOf("A")).toBe("RUNNING");
  expect(device.launcher.running()).toEqual(["A"]);
});

test("limits are set before anything runs and changed while it runs, without a restart; the nucleus's own count where a component has none [core-device-4.19]", async () => {
  const device = servicesUnderTest();
  const nucleus = ["services", "aws.greengrass.Nucleus", "configuration", "runWithDefault"];
  device.tree.merge(nucleus, { systemResourceLimits: { cpus: 0.5 } }, 1);
  const runWith = { systemResourceLimits: { memory: 1024, cpus: 2 } };
  device.configure("A", { Run: "stay" }, { runWith });
  device.configure("B", { Run: "stay" });
  device.services.apply(false);
  await device.run(10);
  expect(device.launcher.limits).toEqual(
    new Map([
      ["A", { memory: 1024, cpus: 2 }],
      ["B", { cpus: 0.5 }],
    ]),
  );
  device.tree.merge(["services", "A", "runWith", "systemResourceLimits", "memory"], 2048, device.clock.now());
  device.tree.remove([...nucleus, "systemResourceLimits"], device.clock.now());
  device.services.apply(false);
  await device.run(10);
  expect(device.launcher.limits).toEqual(
    new Map([
      ["A", { memory: 2048, cpus: 2 }],
      ["B", undefined],
    ]),
  );
  expect(device.launcher.steps()).toEqual(["A run", "B run"]);
});

test("scripts run under sh, or under the shell that the nucleus names [core-device-4.20]", async () => {
  const device = servicesUnderTest();
  device.configure("A", { Install: "exit 0", Run: "stay" });
  device.services.apply(false);
  await device.run(10);
  const path = ["services", "aws.greengrass.Nucleus", "configuration", "runWithDefault", "posixShell"];
  device.tree.merge(path, "bash", 1);
  device.services.get("A")?.lifecycle.requestRestart();
  await device.run(10);
  expect(device.launcher.launched.map(({ command }) => command.shell)).toEqual(["sh", "sh", "bash"]);
});

test("a step that is taken away counts as changed, and a BROKEN component is installed again for any change [core-device-4.9]", async () => {
  const device = servicesUnderTest();
  device.configure("A", { Recover: "exit 0", Run: "stay" });
  device.configure("Bad", { Install: "exit 0", Run: "exit 1" });
  device.services.apply(false);
  await device.run(10);
  expect(device.stateOf("Bad")).toBe("BROKEN");
  const before = device.launcher.launched.length;
  device.tree.remove(["services", "A", "lifecycle", "Recover"], device.clock.now());
  device.configure("Bad", { Run: "stay" });
  device.services.apply(false);
  await device.run(10);
  expect(device.launcher.steps().slice(before).toSorted()).toEqual(["A run", "Bad install", "Bad run"]);
});

test("a startup script that lives on is the component once that has said it runs: no timeout ends it, but its own failure does [core-device-4.21]", async () => {
  const device = servicesUnderTest();
  device.configure("Says", { Startup: { Script: "stay", Timeout: 20 } });
  device.configure("Silent", { Startup: { Script: "stay", Timeout: 20 } });
  device.services.apply(false);
  await device.run(10_000);
  device.services.get("Says")?.lifecycle.report("RUNNING");
  await device.run(60_000);
  expect([device.stateOf("Says"), device.stateOf("Silent")]).toEqual(["RUNNING", "BROKEN"]);
  expect(device.services.get("Silent")?.lifecycle.details?.code).toBe("STARTUP_TIMEOUT");
  expect(device.launcher.running()).toEqual(["Says"]);
  device.states.length = 0;
  device.launcher.launched[0]?.exit(7);
  await device.run(0);
  expect(device.states.slice(0, 2)).toEqual(["Says ERRORED", "Says STOPPING"]);
});

test("what has not stopped 30 s after the device began to stop is killed [core-device-4.22]", async () => {
  const device = servicesUnderTest();
  device.configure("A", { Run: "stay", Shutdown: { Script: "deaf", Timeout: 600 } });
  device.services.apply(false);
  await device.run(10);
  const stopped = device.services.stop();
  await device.run(29_999);
  expect(device.launcher.running()).toEqual(["A", "A"]);
  await device.run(1);
  await stopped;
  expect(device.launcher.running()).toEqual([]);
});

test("how recover and uninstall end changes nothing, and is in the component's log [core-device-4.23]", async () => {
  const device = servicesUnderTest();
  device.configure("A", { Run: "exit 1", Recover: "exit 5", Uninstall: "exit 6" });
  device.services.apply(false);
  await device.run(10);
  expect(device.stateOf("A")).toBe("BROKEN");
  device.tree.remove(["services", "A"], device.clock.now());
  expect(await device.services.retire()).toEqual(["A"]);
  const log = (await device.root.readText("logs/A.log")) ?? "";
  expect(log).toContain("The recover script exited with code 5.");
  expect(log).toContain("UNINSTALL_ERROR: An error occurred while uninstalling the component.");
});

test("a component that breaks while it starts or runs is shut down, and every deployment installs it again [core-device-4.24]", async () => {
  const device = servicesUnderTest();
  device.configure("A", { Run: "exit 1", Shutdown: "exit 0" });
  device.services.apply(false);
  await device.run(10);
  expect(device.launcher.steps().slice(-2)).toEqual(["A run", "A shutdown"]);
  const before = device.launcher.launched.length;
  device.services.apply(false);
  await device.run(10);
  expect(device.launcher.launched.length).toBe(before);
  device.services.apply(true);
  await device.run(10);
  expect(device.launcher.steps().slice(before, before + 1)).toEqual(["A run"]);
});

test("an error's code and reason are told until the component leaves it behind [core-device-4.25]", async () => {
  const device = servicesUnderTest();
  device.configure("A", { Run: "stay" });
  device.services.apply(false);
  await device.run(10);
  device.launcher.launched[0]?.exit(4);
  await device.run(10);
  expect(device.states.slice(-5)).toEqual([
    "A ERRORED",
    "A STOPPING",
    "A INSTALLED",
    "A STARTING",
    "A RUNNING",
  ]);
  expect(device.services.get("A")?.lifecycle.details).toBeUndefined();
});

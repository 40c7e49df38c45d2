import type { JsonObject } from "@coalmine/ports";
import { expect, test } from "vitest";
import * as z from "zod";
import { allowed, install } from "../testing/component.ts";
import { deviceUnderTest } from "../testing/device.ts";
import { noStream } from "../testing/no-stream.ts";

const CLI = "aws.greengrass.Cli";
const recipe = (name: string, version: string, script = "stay", more: JsonObject = {}) =>
  JSON.stringify({
    RecipeFormatVersion: "2020-01-25",
    ComponentName: name,
    ComponentVersion: version,
    Manifests: [{ Lifecycle: { Run: script } }],
    ...more,
  });

async function device(files: Record<string, Record<string, string>> = {}) {
  const it = await deviceUnderTest({
    localFolder: async (folder) => {
      const found = files[folder];
      if (found === undefined) throw new Error("no such folder");
      return Object.entries(found).map(([path, text]) => ({
        path,
        bytes: async () => new TextEncoder().encode(text),
      }));
    },
  });
  await install(it, { [CLI]: {}, A: {} });
  const open = (operation: string, request: JsonObject, principal = CLI) =>
    it.device.service.open(principal, operation, request, noStream());
  const deploy = async (request: JsonObject) =>
    z.string().parse((await open("CreateLocalDeployment", request))["deploymentId"]);
  const statusOf = async (deploymentId: string) =>
    (await open("GetLocalDeploymentStatus", { deploymentId }))["deployment"];
  return { ...it, open, deploy, statusOf };
}

test("a local deployment brings recipes and artifacts from the device's own folders, and adds to the roots that are there [core-device-6.17]", async () => {
  const it = await device({
    "/home/recipes": {
      "L-1.0.0.json": recipe("L", "1.0.0", "stay", {
        Manifests: [
          { Lifecycle: { Run: "stay; say {configuration:/x}" }, Artifacts: [{ Uri: "s3://b/run.sh" }] },
        ],
        ComponentConfiguration: { DefaultConfiguration: { x: 1 } },
      }),
      "M-1.0.0.yaml": recipe("M", "1.0.0"),
      "notes.txt": "not a recipe",
    },
    "/home/artifacts": { "L/1.0.0/run.sh": "echo" },
  });
  it.cloud.disconnect();
  const first = await it.deploy({
    recipeDirectoryPath: "/home/recipes",
    artifactsDirectoryPath: "/home/artifacts",
    rootComponentVersionsToAdd: { L: "1.0.0" },
    componentToConfiguration: { L: { MERGE: { x: 2 } } },
  });
  expect(await it.statusOf(first)).toMatchObject({ status: "QUEUED", createdOn: "23-11-2026 08:00:05 UTC" });
  await it.run(5000);
  expect(await it.statusOf(first)).toMatchObject({
    status: "SUCCEEDED",
    deploymentStatusDetails: { detailedDeploymentStatus: "SUCCESSFUL" },
  });
  expect([it.stateOf("L"), it.stateOf("A")]).toEqual(["RUNNING", "RUNNING"]);
  expect(it.device.configurationOf("L")).toEqual({ x: 2 });
  const second = await it.deploy({ rootComponentVersionsToAdd: { M: "1.0.0" } });
  await it.run(5000);
  expect(await it.statusOf(second)).toMatchObject({ status: "SUCCEEDED" });
  expect([it.stateOf("L"), it.stateOf("M")]).toEqual(["RUNNING", "RUNNING"]);
  await it.deploy({ rootComponentsToRemove: ["L"] });
  await it.run(20_000);
  expect([it.stateOf("L"), it.stateOf("M"), it.stateOf("A")]).toEqual([undefined, "RUNNING", "RUNNING"]);
  const listed = await it.open("ListLocalDeployments", {});
  expect(listed["localDeployments"]).toHaveLength(3);
});

test("a local deployment that fails leaves the device as it is, unless it asks for a rollback, and says why [core-device-6.18]", async () => {
  const it = await device({
    "/home/recipes": { "L-1.0.0.json": recipe("L", "1.0.0", "exit 1"), "bad.yaml": "" },
    "/home/broken": { "X-1.0.0.json": "{}" },
  });
  const failing = { recipeDirectoryPath: "/home/recipes", rootComponentVersionsToAdd: { L: "1.0.0" } };
  const first = await it.deploy(failing);
  await it.run(20_000);
  expect(await it.statusOf(first)).toMatchObject({
    status: "FAILED",
    deploymentStatusDetails: {
      detailedDeploymentStatus: "FAILED_ROLLBACK_NOT_REQUESTED",
      deploymentErrorStack: ["DEPLOYMENT_FAILURE", "COMPONENT_UPDATE_ERROR", "COMPONENT_BROKEN"],
    },
  });
  expect(it.stateOf("L")).toBe("BROKEN");
  const second = await it.deploy({ ...failing, failureHandlingPolicy: "ROLLBACK" });
  await it.run(20_000);
  expect(await it.statusOf(second)).toMatchObject({ status: "FAILED" });
  for (const [recipeDirectoryPath, code] of [
    ["/home/broken", "RECIPE_PARSE_ERROR"],
    ["/nowhere", "IO_READ_ERROR"],
  ] as const) {
    const third = await it.deploy({ recipeDirectoryPath });
    await it.run(5000);
    expect(await it.statusOf(third)).toMatchObject({
      status: "FAILED",
      deploymentStatusDetails: {
        detailedDeploymentStatus: "FAILED_NO_STATE_CHANGE",
        deploymentErrorStack: ["DEPLOYMENT_FAILURE", code],
      },
    });
  }
});

test("a local deployment is taken back while it waits, by the command line alone [core-device-6.19]", async () => {
  const it = await device();
  const deploymentId = await it.deploy({ rootComponentVersionsToAdd: { A: "1.0.0" } });
  await expect(it.open("CancelLocalDeployment", { deploymentId }, "A")).rejects.toMatchObject({
    code: "UnauthorizedError",
  });
  expect(await it.open("CancelLocalDeployment", { deploymentId })).toEqual({
    message: `Deployment ${deploymentId} is canceled`,
  });
  expect(await it.statusOf(deploymentId)).toMatchObject({ status: "CANCELED" });
  expect(JSON.stringify(await it.open("CancelLocalDeployment", { deploymentId }))).toContain("goes on");
  const unknown = { deploymentId: "00000000-0000-4000-8000-000000000000" };
  await expect(it.open("CancelLocalDeployment", unknown)).rejects.toMatchObject({
    code: "ResourceNotFoundError",
  });
  await expect(it.open("GetLocalDeploymentStatus", { deploymentId: "x" })).rejects.toMatchObject({
    code: "InvalidArgumentsError",
  });
});

test.each<[string, JsonObject, string]>([
  ["a group with a colon", { groupName: "a:b" }, "InvalidArgumentsError"],
  [
    "the device's own artifacts",
    { artifactsDirectoryPath: "/greengrass/v2" },
    "InvalidArtifactsDirectoryPathError",
  ],
  [
    "a configuration with another key",
    { componentToConfiguration: { A: { merge: {} } } },
    "InvalidArgumentsError",
  ],
])("a local deployment with %s is refused at once [core-device-6.20]", async (_, request, code) => {
  const it = await device();
  await expect(it.open("CreateLocalDeployment", request)).rejects.toMatchObject({ code });
});

test("the command line's token lets a client in while its component runs [core-device-8.19]", async () => {
  const it = await device();
  const text = (await it.root.readText("cli_ipc_info/user-0")) ?? "{}";
  const { cli_auth_token: token, domain_socket_path: path } = JSON.parse(text) as Record<string, string>;
  expect(path).toBe("/greengrass/v2/ipc.socket");
  const principal = it.device.service.authenticate(token ?? "");
  expect(principal).toBe("greengrass-cli-user-0");
  const { components } = await it.open("ListComponents", {}, principal);
  expect((components as { componentName: string }[]).map(({ componentName }) => componentName)).toEqual([
    "DeploymentService",
    "FleetStatusService",
    "TelemetryAgent",
    "UpdateSystemPolicyService",
    "aws.greengrass.Nucleus",
    CLI,
    "A",
  ]);
  await it.device.stop();
  expect(it.device.service.authenticate(token ?? "")).toBeUndefined();
});

test("a debug password is good for eight hours, and never on the disk [core-device-8.20]", async () => {
  const it = await device();
  const made = await it.open("CreateDebugPassword", {});
  expect(made).toMatchObject({
    username: "debug",
    passwordExpiration: (it.clock.now() + 8 * 3_600_000) / 1000,
  });
  expect(made["password"]).toMatch(/^[\w-]{43}$/);
  await it.run(1000);
  expect(await it.root.readText("config/config.tlog")).not.toContain(made["password"]);
  await expect(it.open("CreateDebugPassword", {}, "A")).rejects.toMatchObject({ code: "UnauthorizedError" });
});

test("what cannot be restarted is said so [core-device-8.10]", async () => {
  const it = await deviceUnderTest();
  await install(it, { [CLI]: {}, A: allowed(CLI, ["RestartComponent"], ["*"]) });
  const restart = () => it.device.service.open("A", "RestartComponent", { componentName: "A" }, noStream());
  expect(await restart()).toEqual({ restartStatus: "SUCCEEDED" });
  const stopping = it.device.stop();
  await it.clock.settle();
  expect(await restart()).toMatchObject({ restartStatus: "FAILED" });
  await stopping;
});

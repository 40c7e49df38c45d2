/**
 * A nucleus carries out deployments to itself alone, by its named shadow.
 * Plays of the facts: 1.2, 4.1 for things, and of 9 "Deployment through the shadow", "Failure and rollback" and
 * "Reconnect" (versions go on over a restart of the cloud).
 */
import {
  CancelDeploymentCommand,
  GetDeploymentCommand,
  ListInstalledComponentsCommand,
} from "@aws-sdk/client-greengrassv2";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ConformanceCloud, iotArn } from "./conformance-cloud.ts";
import { DEPLOYMENT_SHADOW, fleetStatus, nucleusFilters, topicsOf, succeeded } from "./nucleus-words.ts";
import type { Json } from "./scripted-nucleus.ts";

let cloud: ConformanceCloud;
beforeAll(async () => {
  cloud = await ConformanceCloud.start();
  for (const version of ["1.0.0", "2.0.0"]) await cloud.component("com.example.Solo", version);
});
afterAll(() => cloud.close());

async function started(thingName: string) {
  const core = await cloud.device(thingName);
  await core.start();
  await core.subscribe(...nucleusFilters(thingName));
  const { shadow, health } = topicsOf(thingName);
  /**
   * What the cloud desires next: the shadow's version, and the configuration out of its text. The answer to a report comes
   * again after a restart that came before its acknowledgement, and is passed over.
   */
  const desired = async (): Promise<{ version: number; desiredStatus: string; configuration: Json }> => {
    const { version, state } = await core.next(`${shadow}/update/accepted`);
    if (state.desired === undefined) return desired();
    const { fleetConfig, desiredStatus } = state.desired;
    expect(fleetConfig === undefined || typeof fleetConfig === "string").toBe(true);
    const configuration: Json = fleetConfig === undefined ? undefined : JSON.parse(fleetConfig);
    return { version, desiredStatus, configuration };
  };
  /** With the shadow's version, and with the members that the Java SDK adds. */
  const report = async (
    arn: string,
    status: string,
    version: number,
    details: object = {},
  ): Promise<Json> => {
    const reported = {
      ggcVersion: "2.18.0",
      fleetConfigurationArnForStatus: arn,
      statusDetails: { failureCause: "", errorTypes: [], errorStack: [], ...details },
      status,
    };
    const names = { thingName, shadowName: DEPLOYMENT_SHADOW };
    await core.publish(`${shadow}/update`, { ...names, state: { reported }, version });
    return core.next(`${shadow}/update/accepted`, `${shadow}/update/rejected`);
  };
  return { core, shadow, health, desired, report };
}

test("a deployment to a thing: desired, begun with the version, done, reported", async () => {
  const { core, shadow, health, desired, report } = await started("thing-1");
  const target = `${iotArn}:thing/thing-1`;
  const { deploymentId } = await cloud.deploy(target, { "com.example.Solo": "1.0.0" });
  const { version, desiredStatus, configuration } = await desired();
  const configurationArn = "arn:aws:greengrass:us-east-1:123456789012:configuration:thing/thing-1:1";
  expect([version, desiredStatus]).toEqual([1, "SUCCEEDED"]);
  expect(configuration).toMatchObject({
    deploymentId,
    configurationArn,
    creationTimestamp: expect.any(Number),
    components: { "com.example.Solo": { version: "1.0.0" } },
    failureHandlingPolicy: "ROLLBACK",
    componentUpdatePolicy: { timeout: 60, action: "NOTIFY_COMPONENTS" },
    configurationValidationPolicy: { timeout: expect.any(Number) },
  });
  // One that was away asks, and gets the same.
  await core.publish(`${shadow}/get`, { thingName: "thing-1", shadowName: DEPLOYMENT_SHADOW });
  const got = await core.next(`${shadow}/get/accepted`);
  expect([got.version, JSON.parse(got.state.desired.fleetConfig)]).toEqual([1, configuration]);

  expect(await report(configurationArn, "IN_PROGRESS", 1)).toMatchObject({ version: 2 });
  expect(await cloud.effective("thing-1")).toMatchObject([{ coreDeviceExecutionStatus: "IN_PROGRESS" }]);
  // The version that it knew is not the shadow's any more.
  expect(await report(configurationArn, "SUCCEEDED", 1)).toMatchObject({
    code: 409,
    message: "Version conflict",
  });
  expect(await report(configurationArn, "SUCCEEDED", 2, { detailedStatus: "SUCCESSFUL" })).toMatchObject({
    version: 3,
  });
  const component = {
    componentName: "com.example.Solo",
    version: "1.0.0",
    fleetConfigArns: [configurationArn],
    componentStatusDetails: null,
    isRoot: true,
    status: "RUNNING",
  };
  await core.publish(
    health,
    fleetStatus("thing-1", {
      messageType: "PARTIAL",
      trigger: "THING_DEPLOYMENT",
      components: [component],
      deploymentInformation: succeeded(deploymentId, configurationArn),
    }),
  );
  expect(await cloud.effective("thing-1")).toMatchObject([
    { deploymentId, coreDeviceExecutionStatus: "COMPLETED", reason: "SUCCESSFUL" },
  ]);
  const { deploymentStatus } = await cloud.greengrass.send(new GetDeploymentCommand({ deploymentId }));
  expect(deploymentStatus).toBe("COMPLETED");
  const asked = new ListInstalledComponentsCommand({ coreDeviceThingName: "thing-1" });
  expect((await cloud.greengrass.send(asked)).installedComponents).toMatchObject([
    { componentName: "com.example.Solo", lifecycleState: "RUNNING", lastInstallationSource: deploymentId },
  ]);
  await core.stop();
});

test("one that fails and is rolled back, and the revision after it, with versions that go on over a restart", async () => {
  const { core, shadow, desired, report } = await started("thing-2");
  const target = `${iotArn}:thing/thing-2`;
  await cloud.deploy(target, { "com.example.Solo": "1.0.0" });
  const first = await desired();
  const arn = first.configuration.configurationArn;
  await report(arn, "IN_PROGRESS", first.version);
  const failure = {
    detailedStatus: "FAILED_ROLLBACK_COMPLETE",
    failureCause: "Service com.example.Solo in broken state after deployment",
    errorTypes: ["USER_COMPONENT_ERROR"],
    errorStack: ["DEPLOYMENT_FAILURE", "COMPONENT_UPDATE_ERROR", "COMPONENT_BROKEN"],
  };
  const { version } = await report(arn, "FAILED", first.version + 1, failure);
  expect(await cloud.effective("thing-2")).toMatchObject([
    {
      coreDeviceExecutionStatus: "FAILED",
      reason: `${failure.detailedStatus}: ${failure.failureCause}`,
      statusDetails: { errorStack: failure.errorStack, errorTypes: failure.errorTypes },
    },
  ]);
  const back = core.reconnected();
  await cloud.restart();
  expect(await back).toBe(true);
  await core.publish(`${shadow}/get`, "");
  const got = await core.next(`${shadow}/get/accepted`);
  expect([got.version, got.state.reported.status]).toEqual([version, "FAILED"]);
  await cloud.deploy(target, { "com.example.Solo": "2.0.0" });
  const second = await desired();
  expect(second.version).toBe(version + 1);
  expect(second.configuration.configurationArn).toBe(arn.replace(/:1$/, ":2"));
  await core.stop();
});

test("one that is canceled is desired as CANCELED, and what the device says of it is kept", async () => {
  const { core, desired, report } = await started("thing-3");
  const { deploymentId } = await cloud.deploy(`${iotArn}:thing/thing-3`, { "com.example.Solo": "1.0.0" });
  const { version, configuration } = await desired();
  await report(configuration.configurationArn, "IN_PROGRESS", version);
  await cloud.greengrass.send(new CancelDeploymentCommand({ deploymentId }));
  const canceled = await desired();
  expect(canceled).toMatchObject({ version: version + 2, desiredStatus: "CANCELED" });
  await report(configuration.configurationArn, "CANCELED", canceled.version);
  expect(await cloud.effective("thing-3")).toMatchObject([{ coreDeviceExecutionStatus: "CANCELED" }]);
  const { deploymentStatus } = await cloud.greengrass.send(new GetDeploymentCommand({ deploymentId }));
  expect(deploymentStatus).toBe("CANCELED");
  await core.stop();
});

test("one that is too large for a shadow names what the device has to fetch", async () => {
  const { core, desired } = await started("thing-4");
  const merge = JSON.stringify({ text: "y".repeat(9000) });
  const components = { "com.example.Solo": { componentVersion: "1.0.0", configurationUpdate: { merge } } };
  const { deploymentId = "" } = await cloud.deploy(`${iotArn}:thing/thing-4`, {}, { components });
  const { configuration } = await desired();
  expect(configuration).toMatchObject({ deploymentId, requiredCapabilities: ["LARGE_CONFIGURATION"] });
  const path = `/greengrass/v2/deployments/${deploymentId}/configuration`;
  const { status, body } = await core.dataPlane("GET", path);
  expect(status).toBe(200);
  const document: Json = await (await fetch(body.preSignedUrl)).json();
  expect(document.components["com.example.Solo"].configurationUpdate.merge.text).toHaveLength(9000);
  await core.stop();
});

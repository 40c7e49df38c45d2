import { createHash } from "node:crypto";
import {
  CancelDeploymentCommand,
  DeleteComponentCommand,
  DescribeComponentCommand,
  GetComponentCommand,
  GetCoreDeviceCommand,
  GetDeploymentCommand,
  ListComponentVersionsCommand,
  ListCoreDevicesCommand,
  ListDeploymentsCommand,
  ListEffectiveDeploymentsCommand,
  ListInstalledComponentsCommand,
  TagResourceCommand,
  ListTagsForResourceCommand,
} from "@aws-sdk/client-greengrassv2";
import { afterAll, expect, test } from "vitest";
import { iotArn, recipe, startTestFleet } from "./test-fleet.ts";
import type { CloudEvent } from "../service.ts";

const fleet = await startTestFleet();
const { cloud, clock, greengrass, create, publish, deploy, wait } = fleet;
afterAll(() => fleet.close());

test("a version becomes deployable on the clock, with the digest of its artifact in the recipe", async () => {
  const body = Buffer.from("artifact bytes");
  await cloud.cloud.invoke("s3", "PutObject", { Bucket: "artifacts", Key: "c/1.0.0/main.zip", Body: body });
  const uri = "s3://artifacts/c/1.0.0/main.zip";
  const made = await create(recipe("com.example.Hashed", "1.0.0", uri));
  expect(made.status?.componentState).toBe("REQUESTED");
  expect(made.creationTimestamp).toEqual(new Date(clock.now()));
  const state = async () =>
    (await greengrass.send(new DescribeComponentCommand({ arn: made.arn }))).status?.componentState;
  await wait(600);
  expect(await state()).toBe("INITIATED");
  await wait(3_000);
  expect(await state()).toBe("DEPLOYABLE");
  const got = await greengrass.send(new GetComponentCommand({ arn: made.arn, recipeOutputFormat: "JSON" }));
  const stored = JSON.parse(Buffer.from(got.recipe ?? []).toString("utf8"));
  expect(stored.Manifests[0].Artifacts[0]).toMatchObject({
    Uri: uri,
    Digest: createHash("sha256").update(body).digest("base64"),
    Algorithm: "SHA-256",
  });
  await expect(create(recipe("com.example.Hashed", "1.0.0", uri))).rejects.toMatchObject({
    name: "ConflictException",
    resourceId: made.arn,
  });
});

test("an artifact that is not there fails the version, which may then be made again", async () => {
  const text = recipe("com.example.Missing", "1.0.0", "s3://artifacts/none");
  const { arn } = await create(text);
  await wait(5_000);
  const failed = await greengrass.send(new DescribeComponentCommand({ arn }));
  expect(failed.status?.componentState).toBe("FAILED");
  expect(Object.keys(failed.status?.errors ?? {})).toEqual(["s3://artifacts/none"]);
  await expect(deploy(`${iotArn}:thinggroup/canary`, { "com.example.Missing": "1.0.0" })).rejects.toThrow(
    "no deployable version 1.0.0",
  );
  expect((await create(text)).status?.componentState).toBe("REQUESTED");
});

test("a recipe that breaks a rule is refused with the rule", async () => {
  await expect(create("{}")).rejects.toMatchObject({ name: "ValidationException" });
  await expect(create(recipe("com.example.Bad", "one"))).rejects.toThrow("semantic version");
});

test("versions are listed highest first, by precedence, and a deleted one is gone", async () => {
  for (const version of ["1.2.0", "1.10.0", "1.9.0"]) await publish("com.example.Many", version);
  const arn = "arn:aws:greengrass:us-east-1:123456789012:components:com.example.Many";
  const list = async () =>
    (await greengrass.send(new ListComponentVersionsCommand({ arn }))).componentVersions?.map(
      (one) => one.componentVersion,
    );
  expect(await list()).toEqual(["1.10.0", "1.9.0", "1.2.0"]);
  await greengrass.send(new DeleteComponentCommand({ arn: `${arn}:versions:1.10.0` }));
  expect(await list()).toEqual(["1.9.0", "1.2.0"]);
});

test("a group's deployment is a continuous job in Greengrass's namespace; a revision supersedes the former", async () => {
  await publish("com.example.App", "1.0.0");
  await publish("com.example.App", "1.1.0");
  const group = `${iotArn}:thinggroup/canary`;
  const first = await deploy(
    group,
    { "com.example.App": "1.0.0" },
    {
      components: {
        "com.example.App": {
          componentVersion: "1.0.0",
          configurationUpdate: { merge: '{"rate":5}', reset: ["/old"] },
        },
      },
    },
  );
  const jobOf = async (jobId: string | undefined): Promise<Record<string, never>> =>
    Object(await cloud.cloud.invoke("iot", "DescribeJob", { jobId }));
  expect((await jobOf(first.iotJobId))["job"]).toMatchObject({
    targetSelection: "CONTINUOUS",
    namespaceId: "aws-gg-deployment",
    targets: [group],
  });
  const { document } = Object(await cloud.cloud.invoke("iot", "GetJobDocument", { jobId: first.iotJobId }));
  expect(JSON.parse(document)).toMatchObject({
    deploymentId: first.deploymentId,
    configurationArn: "arn:aws:greengrass:us-east-1:123456789012:configuration:thinggroup/canary:1",
    components: {
      "com.example.App": {
        version: "1.0.0",
        configurationUpdate: { merge: { rate: 5 }, reset: ["/old"] },
      },
    },
    failureHandlingPolicy: "ROLLBACK",
  });
  const effective = async () =>
    (await greengrass.send(new ListEffectiveDeploymentsCommand({ coreDeviceThingName: "core-1" })))
      .effectiveDeployments;
  expect(await effective()).toMatchObject([
    { deploymentId: first.deploymentId, coreDeviceExecutionStatus: "QUEUED" },
  ]);
  const second = await deploy(group, { "com.example.App": "1.1.0" });
  const former = await greengrass.send(new GetDeploymentCommand({ deploymentId: first.deploymentId }));
  expect(former).toMatchObject({ deploymentStatus: "INACTIVE", isLatestForTarget: false, revisionId: "1" });
  expect(former.components?.["com.example.App"]?.configurationUpdate?.merge).toBe('{"rate":5}');
  expect(
    await greengrass.send(new GetDeploymentCommand({ deploymentId: second.deploymentId })),
  ).toMatchObject({ deploymentStatus: "ACTIVE", isLatestForTarget: true, revisionId: "2" });
  expect((await jobOf(first.iotJobId))["job"]).toMatchObject({ status: "CANCELED" });
  expect(await effective()).toMatchObject([{ deploymentId: second.deploymentId }]);
  const history = await greengrass.send(
    new ListDeploymentsCommand({ targetArn: group, historyFilter: "ALL" }),
  );
  expect(history.deployments?.map((one) => one.revisionId)).toEqual(["2", "1"]);

  // The device fails it and rolls back: the job's details become the reason.
  cloud.cloud.events.emit({
    kind: "job-execution",
    jobId: second.iotJobId ?? "",
    thingName: "core-1",
    status: "FAILED",
    statusDetails: {
      "detailed-deployment-status": "FAILED_ROLLBACK_COMPLETE",
      "deployment-failure-cause": "it is broken",
      "deployment-error-stack": '["DEPLOYMENT_FAILURE","COMPONENT_BROKEN"]',
      "deployment-error-types": '["USER_COMPONENT_ERROR"]',
    },
    at: clock.now(),
  });
  expect(await effective()).toMatchObject([
    {
      coreDeviceExecutionStatus: "FAILED",
      reason: "FAILED_ROLLBACK_COMPLETE: it is broken",
      statusDetails: {
        errorStack: ["DEPLOYMENT_FAILURE", "COMPONENT_BROKEN"],
        errorTypes: ["USER_COMPONENT_ERROR"],
      },
    },
  ]);
  await greengrass.send(new CancelDeploymentCommand({ deploymentId: second.deploymentId }));
  expect((await jobOf(second.iotJobId))["job"]).toMatchObject({ status: "CANCELED" });
  await expect(
    greengrass.send(new CancelDeploymentCommand({ deploymentId: second.deploymentId })),
  ).rejects.toMatchObject({ name: "ConflictException" });
});

test("the same client token makes one deployment, and bad targets and configurations are refused", async () => {
  await publish("com.example.Token", "1.0.0");
  const thing = `${iotArn}:thing/core-2`;
  const once = await deploy(thing, { "com.example.Token": "1.0.0" }, { clientToken: "t-1" });
  const again = await deploy(thing, { "com.example.Token": "1.0.0" }, { clientToken: "t-1" });
  expect(again.deploymentId).toBe(once.deploymentId);
  await expect(deploy(`${iotArn}:thing/nobody`, {})).rejects.toMatchObject({
    name: "ResourceNotFoundException",
  });
  await expect(deploy("arn:aws:iot:eu-west-1:1:thing/core-2", {})).rejects.toMatchObject({
    name: "ValidationException",
  });
  const component = { componentVersion: "1.0.0", configurationUpdate: { merge: "[1]" } };
  await expect(deploy(thing, {}, { components: { "com.example.Token": component } })).rejects.toThrow(
    "JSON text of an object",
  );
});

test("a thing's deployment is desired in its shadow, and completes when the device reports it", async () => {
  await publish("com.example.Solo", "1.0.0");
  const { deploymentId } = await deploy(`${iotArn}:thing/core-2`, { "com.example.Solo": "1.0.0" });
  const shadow = { thingName: "core-2", shadowName: "AWSManagedGreengrassV2Deployment" };
  const { payload } = Object(await cloud.cloud.invoke("iotdata", "GetThingShadow", shadow));
  const { desired } = JSON.parse(Buffer.from(payload).toString("utf8")).state;
  const configuration = JSON.parse(desired.fleetConfig);
  expect(configuration).toMatchObject({
    deploymentId,
    components: { "com.example.Solo": { version: "1.0.0" } },
  });
  expect(desired.desiredStatus).toBe("SUCCEEDED");
  const report = (status: string) =>
    cloud.cloud.events.emit({
      kind: "shadow-changed",
      ...shadow,
      reported: {
        fleetConfigurationArnForStatus: configuration.configurationArn,
        status,
        statusDetails: { detailedStatus: "SUCCESSFUL" },
        ggcVersion: "2.18.0",
      },
      version: 2,
      at: clock.now(),
    });
  const state = async () =>
    (
      await greengrass.send(new ListEffectiveDeploymentsCommand({ coreDeviceThingName: "core-2" }))
    ).effectiveDeployments?.map((one) => one.coreDeviceExecutionStatus);
  const events: CloudEvent[] = [];
  cloud.cloud.events.on((event) => events.push(event));
  expect(await state()).toEqual(["QUEUED"]);
  report("IN_PROGRESS");
  expect(await state()).toEqual(["IN_PROGRESS"]);
  report("SUCCEEDED");
  expect(await state()).toEqual(["COMPLETED"]);
  report("SUCCEEDED");
  expect(events.filter((event) => event.kind === "aws-event")).toEqual([
    {
      kind: "aws-event",
      source: "aws.greengrass",
      detailType: "Greengrass V2 Effective Deployment Status Change",
      resources: ["arn:aws:greengrass:us-east-1:123456789012:coreDevices:core-2"],
      detail: {
        "deployment-id": deploymentId,
        coreDeviceExecutionStatus: "COMPLETED",
        statusDetails: { errorStack: [], errorTypes: [] },
        reason: "SUCCESSFUL",
      },
      at: clock.now(),
    },
  ]);
  expect((await greengrass.send(new GetDeploymentCommand({ deploymentId }))).deploymentStatus).toBe(
    "COMPLETED",
  );
});

test("core devices and their components are what their status messages say", async () => {
  const say = (messageType: string, components: object[], more: object = {}) =>
    cloud.cloud.events.emit({
      kind: "mqtt-message",
      topic: "$aws/things/core-1/greengrassv2/health/json",
      clientId: "core-1",
      at: clock.now(),
      payload: Buffer.from(
        JSON.stringify({
          ggcVersion: "2.18.0",
          platform: "linux",
          architecture: "amd64",
          thing: "core-1",
          sequenceNumber: 1,
          timestamp: clock.now(),
          messageType,
          trigger: "NUCLEUS_LAUNCH",
          overallDeviceStatus: "HEALTHY",
          components,
          ...more,
        }),
      ),
    });
  const component = (componentName: string, status: string, more: object = {}) => ({
    componentName,
    version: "1.0.0",
    fleetConfigArns: [],
    componentStatusDetails: null,
    isRoot: true,
    status,
    ...more,
  });
  await expect(
    greengrass.send(new GetCoreDeviceCommand({ coreDeviceThingName: "core-1" })),
  ).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  say(
    "COMPLETE",
    [
      component("A", "RUNNING", {
        fleetConfigArns: ["arn:aws:greengrass:us-east-1:123456789012:configuration:thinggroup/canary:2"],
      }),
      component("main", "FINISHED", { version: null }),
    ],
    { chunkInfo: { chunkId: 1, totalChunks: 2 } },
  );
  say("COMPLETE", [component("B", "RUNNING", { isRoot: false })], {
    chunkInfo: { chunkId: 2, totalChunks: 2 },
  });
  const installed = async (topologyFilter: "ALL" | "ROOT") =>
    (
      await greengrass.send(
        new ListInstalledComponentsCommand({ coreDeviceThingName: "core-1", topologyFilter }),
      )
    ).installedComponents;
  expect((await installed("ALL"))?.map((one) => one.componentName)).toEqual(["A", "B"]);
  const [a] = (await installed("ROOT")) ?? [];
  expect(a?.lastInstallationSource).toMatch(/^[0-9a-f-]{36}$/);
  await wait(1000);
  say(
    "PARTIAL",
    [
      component("A", "BROKEN", {
        componentStatusDetails: { statusCodes: ["RUN_ERROR"], statusReason: "exited with code 3" },
      }),
    ],
    { overallDeviceStatus: "UNHEALTHY" },
  );
  expect(await installed("ROOT")).toMatchObject([
    {
      lifecycleState: "BROKEN",
      lifecycleStatusCodes: ["RUN_ERROR"],
      lifecycleStateDetails: "exited with code 3",
    },
  ]);
  expect(await installed("ALL")).toHaveLength(2);
  const unhealthy = await greengrass.send(new ListCoreDevicesCommand({ status: "UNHEALTHY" }));
  expect(unhealthy.coreDevices).toMatchObject([
    { coreDeviceThingName: "core-1", lastStatusUpdateTimestamp: new Date(clock.now()) },
  ]);
});

test("tags are kept beside what they are on", async () => {
  const resourceArn = "arn:aws:greengrass:us-east-1:123456789012:components:com.example.App:versions:1.0.0";
  await greengrass.send(new TagResourceCommand({ resourceArn, tags: { release: "7" } }));
  expect((await greengrass.send(new ListTagsForResourceCommand({ resourceArn }))).tags).toEqual({
    release: "7",
  });
});

/**
 * A nucleus carries out deployments to groups, by IoT Jobs.
 * Plays of the facts: 1.1, 2, 3 (the four calls), 4.1, 5, and of 9 "Deployment through IoT Jobs" and "Failure and
 * rollback"; a device in two groups.
 */
import { createHash } from "node:crypto";
import { CancelDeploymentCommand, GetDeploymentCommand } from "@aws-sdk/client-greengrassv2";
import { DescribeJobExecutionCommand, RemoveThingFromThingGroupCommand } from "@aws-sdk/client-iot";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ConformanceCloud, iotArn } from "./conformance-cloud.ts";
import { fleetStatus, nucleusFilters, topicsOf, succeeded } from "./nucleus-words.ts";
import type { Json, ScriptedNucleus } from "./scripted-nucleus.ts";

const platform = { attributes: { os: "linux", architecture: "amd64" } };
let cloud: ConformanceCloud;
beforeAll(async () => {
  cloud = await ConformanceCloud.start();
  for (const version of ["1.0.0", "1.1.0"]) await cloud.component("com.example.Hello", version);
  const dependency = {
    "com.example.Hello": { VersionRequirement: ">=1.0.0 <2.0.0", DependencyType: "HARD" },
  };
  await cloud.component("com.example.Top", "1.0.0", { ComponentDependencies: dependency });
});
afterAll(() => cloud.close());

async function started(thingName: string, ...groups: string[]) {
  const core = await cloud.device(thingName, ...groups);
  await core.start();
  await core.subscribe(...nucleusFilters(thingName));
  const topics = topicsOf(thingName);
  /** What the nucleus asks after it was notified. */
  const nextJob = async (): Promise<Json> => {
    await core.publish(topics.next, { thingName, jobId: "$next", includeJobDocument: true });
    return (await core.next(`${topics.next}/accepted`)).execution;
  };
  /** Subscribes to the answers, asks, and unsubscribes. */
  const update = async (jobId: string, status: string, statusDetails: object = {}): Promise<Json> => {
    const topic = topics.update(jobId);
    const answers = [`${topic}/accepted`, `${topic}/rejected`];
    expect(await core.subscribe(...answers)).toEqual([1, 1]);
    await core.publish(topic, { thingName, jobId, status, statusDetails });
    const answer = await core.next(...answers);
    await core.unsubscribe(...answers);
    return answer;
  };
  return { core, topics, nextJob, update };
}

/** Finds the component by what each source requires, and fetches its artifact. */
async function fetched(
  core: ScriptedNucleus,
  componentName: string,
  versionRequirements: object,
): Promise<Json> {
  const asked = { platform, componentCandidates: [{ componentName, versionRequirements }] };
  const { status, body } = await core.dataPlane("POST", "/greengrass/v2/resolveComponentCandidates", asked);
  expect([status, body.resolvedComponentVersions?.length]).toEqual([200, 1]);
  const [resolved] = body.resolvedComponentVersions;
  expect(resolved).toMatchObject({ componentName, vendorGuidance: "ACTIVE", arn: expect.any(String) });
  const recipe = JSON.parse(Buffer.from(resolved.recipe, "base64").toString("utf8"));
  expect(recipe).toMatchObject({ ComponentName: componentName, ComponentVersion: resolved.componentVersion });
  const [artifact] = recipe.Manifests[0].Artifacts;
  const path = `/greengrass/v2/components/${encodeURIComponent(resolved.arn)}/artifacts/run.sh?s3EndpointType=GLOBAL`;
  const url = (await core.dataPlane("GET", path)).body.preSignedUrl;
  // First for its size, without a range, then with one.
  const sized = await fetch(url);
  const size = Number(sized.headers.get("content-length"));
  await sized.arrayBuffer();
  const again = (await core.dataPlane("GET", path)).body.preSignedUrl;
  const ranged = await fetch(again, { headers: { range: `bytes=0-${size - 1}` } });
  expect([ranged.status, ranged.headers.get("content-range")]).toEqual([206, `bytes 0-${size - 1}/${size}`]);
  const digest = createHash("sha256").update(Buffer.from(await ranged.arrayBuffer()));
  expect([artifact.Algorithm, artifact.Digest]).toEqual(["SHA-256", digest.digest("base64")]);
  return resolved.componentVersion;
}

test("a deployment to a group: notified, begun, resolved, fetched, done, reported", async () => {
  const { core, topics, nextJob, update } = await started("one", "solo");
  const targetArn = `${iotArn}:thinggroup/solo`;
  const { deploymentId, iotJobId = "" } = await cloud.deploy(
    targetArn,
    {},
    {
      deploymentName: "first",
      components: {
        "com.example.Top": {
          componentVersion: "1.0.0",
          configurationUpdate: { merge: '{"rate":5}', reset: ["/old"] },
          runWith: { posixUser: "ggc_user" },
        },
      },
      deploymentPolicies: {
        componentUpdatePolicy: { timeoutInSeconds: 60, action: "NOTIFY_COMPONENTS" },
        configurationValidationPolicy: { timeoutInSeconds: 60 },
      },
    },
  );
  const notified = await core.next(topics.notify);
  const queued = { jobId: iotJobId, executionNumber: 1, versionNumber: 1 };
  expect(notified).toMatchObject({ timestamp: expect.any(Number), jobs: { QUEUED: [queued] } });
  expect(Object.keys(notified.jobs)).toEqual(["QUEUED"]);
  const execution = await nextJob();
  const configurationArn = `arn:aws:greengrass:us-east-1:123456789012:configuration:thinggroup/solo:1`;
  expect(execution).toMatchObject({
    ...queued,
    thingName: "one",
    status: "QUEUED",
    queuedAt: notified.jobs.QUEUED[0].queuedAt,
    lastUpdatedAt: expect.any(Number),
  });
  // Seconds, not milliseconds.
  expect(Math.abs(execution.queuedAt - Date.now() / 1000)).toBeLessThan(60);
  expect(execution.jobDocument).toEqual({
    deploymentId,
    schemaDate: "2021-05-17",
    deploymentName: "first",
    configurationArn,
    creationTimestamp: expect.any(Number),
    components: {
      "com.example.Top": {
        version: "1.0.0",
        configurationUpdate: { merge: { rate: 5 }, reset: ["/old"] },
        runWith: { posixUser: "ggc_user" },
      },
    },
    failureHandlingPolicy: "ROLLBACK",
    componentUpdatePolicy: { timeout: 60, action: "NOTIFY_COMPONENTS" },
    configurationValidationPolicy: { timeout: 60 },
  });
  expect(await update(iotJobId, "IN_PROGRESS")).toEqual({ timestamp: expect.any(Number) });
  expect(await cloud.effective("one")).toMatchObject([{ coreDeviceExecutionStatus: "IN_PROGRESS" }]);
  const groups = await core.dataPlane("GET", "/greengrass/v2/coreDevices/one/thingGroups");
  expect(groups.body).toEqual({
    thingGroups: [{ thingGroupName: "solo", thingGroupArn: targetArn, rootToParentThingGroups: [] }],
  });
  expect(await fetched(core, "com.example.Top", { "thinggroup/solo": "=1.0.0" })).toBe("1.0.0");
  // A dependency is asked for by its dependent.
  expect(await fetched(core, "com.example.Hello", { "com.example.Top": ">=1.0.0 <2.0.0" })).toBe("1.1.0");
  await update(iotJobId, "SUCCEEDED", { "detailed-deployment-status": "SUCCESSFUL" });
  // Nothing is left to do: told by an empty list.
  expect(await core.next(topics.notify)).toMatchObject({ jobs: {} });
  expect(await nextJob()).toBeUndefined();
  await core.publish(
    topics.health,
    fleetStatus("one", {
      messageType: "PARTIAL",
      trigger: "THING_GROUP_DEPLOYMENT",
      components: [
        {
          componentName: "com.example.Top",
          version: "1.0.0",
          fleetConfigArns: [configurationArn],
          componentStatusDetails: null,
          isRoot: true,
          status: "RUNNING",
        },
      ],
      deploymentInformation: succeeded(deploymentId, configurationArn),
    }),
  );
  expect(await cloud.effective("one")).toMatchObject([
    { deploymentId, coreDeviceExecutionStatus: "SUCCEEDED", reason: "SUCCESSFUL" },
  ]);
  // A group's deployment goes on: things may join.
  const { deploymentStatus } = await cloud.greengrass.send(new GetDeploymentCommand({ deploymentId }));
  expect(deploymentStatus).toBe("ACTIVE");
  await core.stop();
});

test("a deployment that fails and is rolled back on the device", async () => {
  const { core, topics, nextJob, update } = await started("fails", "failing");
  const { iotJobId = "" } = await cloud.deploy(`${iotArn}:thinggroup/failing`, {
    "com.example.Hello": "1.0.0",
  });
  await core.next(topics.notify);
  expect((await nextJob()).jobId).toBe(iotJobId);
  await update(iotJobId, "IN_PROGRESS");
  const stack = ["DEPLOYMENT_FAILURE", "COMPONENT_UPDATE_ERROR", "COMPONENT_BROKEN"];
  const cause = "Service com.example.Hello in broken state after deployment";
  await update(iotJobId, "FAILED", {
    "detailed-deployment-status": "FAILED_ROLLBACK_COMPLETE",
    "deployment-failure-cause": cause,
    "deployment-error-stack": JSON.stringify(stack),
    "deployment-error-types": '["USER_COMPONENT_ERROR"]',
  });
  expect(await cloud.effective("fails")).toMatchObject([
    {
      coreDeviceExecutionStatus: "FAILED",
      reason: `FAILED_ROLLBACK_COMPLETE: ${cause}`,
      statusDetails: { errorStack: stack, errorTypes: ["USER_COMPONENT_ERROR"] },
    },
  ]);
  // What is over stays over, by words and by asking.
  expect(await update(iotJobId, "IN_PROGRESS")).toMatchObject({
    code: "InvalidStateTransition",
    executionState: { status: "FAILED" },
  });
  const get = topics.update(iotJobId).replace(/update$/, "get");
  await core.subscribe(`${get}/rejected`);
  await core.publish(get, {});
  expect(await core.next(`${get}/rejected`)).toMatchObject({ code: "TerminalStateReached" });
  expect(await update("none", "IN_PROGRESS")).toMatchObject({ code: "ResourceNotFound" });
  await core.publish(topics.next, "no JSON");
  expect(await core.next(`${topics.next}/rejected`)).toMatchObject({ code: "InvalidJson" });
  await core.stop();
});

test("a device in two groups gets both deployments in order, and one version that suits both", async () => {
  const { core, topics, nextJob, update } = await started("two", "left", "right");
  const left = await cloud.deploy(`${iotArn}:thinggroup/left`, { "com.example.Hello": "1.1.0" });
  await core.next(topics.notify);
  const right = await cloud.deploy(`${iotArn}:thinggroup/right`, { "com.example.Top": "1.0.0" });
  expect((await core.next(topics.notify)).jobs.QUEUED.map((one: Json) => one.jobId)).toEqual([
    left.iotJobId,
    right.iotJobId,
  ]);
  expect((await nextJob()).jobId).toBe(left.iotJobId);
  await update(left.iotJobId ?? "", "IN_PROGRESS");
  // What is in progress stays next.
  expect((await nextJob()).jobId).toBe(left.iotJobId);
  await update(left.iotJobId ?? "", "SUCCEEDED", { "detailed-deployment-status": "SUCCESSFUL" });
  expect((await nextJob()).jobId).toBe(right.iotJobId);
  const groups = await core.dataPlane("GET", "/greengrass/v2/coreDevices/two/thingGroups");
  expect(groups.body.thingGroups.map((one: Json) => one.thingGroupName)).toEqual(["left", "right"]);
  const requirements = { "thinggroup/left": "=1.1.0", "com.example.Top": ">=1.0.0 <2.0.0" };
  expect(await fetched(core, "com.example.Hello", requirements)).toBe("1.1.0");
  const componentCandidates = [
    { componentName: "com.example.Hello", versionRequirements: { a: "=1.0.0", b: "=1.1.0" } },
  ];
  const none = await core.dataPlane("POST", "/greengrass/v2/resolveComponentCandidates", {
    platform,
    componentCandidates,
  });
  expect([none.status, none.body.message]).toEqual([404, expect.stringContaining("no usable version")]);
  // Out of the group before it began: its execution is taken back.
  const asked = { thingName: "two", thingGroupName: "right" };
  await cloud.iot.send(new RemoveThingFromThingGroupCommand(asked));
  const { execution } = await cloud.iot.send(
    new DescribeJobExecutionCommand({ jobId: right.iotJobId, thingName: "two" }),
  );
  expect(execution?.status).toBe("REMOVED");
  expect(await nextJob()).toBeUndefined();
  await core.stop();
});

test("a deployment that is canceled while it runs is over in the cloud, and never comes again", async () => {
  const { core, topics, nextJob, update } = await started("cancels", "canceled");
  const { deploymentId, iotJobId = "" } = await cloud.deploy(`${iotArn}:thinggroup/canceled`, {
    "com.example.Hello": "1.0.0",
  });
  await core.next(topics.notify);
  await update(iotJobId, "IN_PROGRESS");
  await cloud.greengrass.send(new CancelDeploymentCommand({ deploymentId }));
  expect(await core.next(topics.notify)).toMatchObject({ jobs: {} });
  expect(await cloud.effective("cancels")).toMatchObject([{ coreDeviceExecutionStatus: "CANCELED" }]);
  expect(await nextJob()).toBeUndefined();
  // One that could not be stopped any more reports, and its rejection counts as delivered.
  expect(await update(iotJobId, "SUCCEEDED")).toMatchObject({ code: "InvalidStateTransition" });
  await core.stop();
});

test("a revision takes the place of what has not begun, and leaves what runs", async () => {
  const [waits, runs] = [await started("waits", "revised"), await started("runs")];
  await cloud.group("revised", "runs");
  const target = `${iotArn}:thinggroup/revised`;
  const first = await cloud.deploy(target, { "com.example.Hello": "1.0.0" });
  for (const { core, topics } of [waits, runs]) await core.next(topics.notify);
  await runs.update(first.iotJobId ?? "", "IN_PROGRESS");
  const second = await cloud.deploy(target, { "com.example.Hello": "1.1.0" });
  expect((await waits.nextJob()).jobId).toBe(second.iotJobId);
  expect((await runs.nextJob()).jobId).toBe(first.iotJobId);
  await runs.update(first.iotJobId ?? "", "SUCCEEDED", { "detailed-deployment-status": "SUCCESSFUL" });
  const { jobId, jobDocument } = await runs.nextJob();
  expect([jobId, jobDocument.configurationArn]).toEqual([
    second.iotJobId,
    "arn:aws:greengrass:us-east-1:123456789012:configuration:thinggroup/revised:2",
  ]);
  await waits.core.stop();
  await runs.core.stop();
});

test("a document that is too large is fetched whole by the device, which checks its digest", async () => {
  const { core, topics, nextJob } = await started("large", "large");
  const merge = JSON.stringify({ text: "x".repeat(40_000) });
  const components = { "com.example.Hello": { componentVersion: "1.0.0", configurationUpdate: { merge } } };
  const { deploymentId } = await cloud.deploy(`${iotArn}:thinggroup/large`, {}, { components });
  await core.next(topics.notify);
  const { jobDocument } = await nextJob();
  expect(jobDocument).toMatchObject({ deploymentId, requiredCapabilities: ["LARGE_CONFIGURATION"] });
  const path = (id: string): string =>
    `/greengrass/v2/deployments/${id}/configuration?coreDeviceThingName=large&s3EndpointType=GLOBAL`;
  const { status, body } = await core.dataPlane("GET", path(deploymentId ?? ""));
  expect([status, body.integrityCheck.algorithm]).toEqual([200, "SHA-256"]);
  const bytes = Buffer.from(await (await fetch(body.preSignedUrl)).arrayBuffer());
  expect(createHash("sha256").update(bytes).digest("base64")).toBe(body.integrityCheck.digest);
  expect(JSON.parse(bytes.toString("utf8"))).toMatchObject({
    deploymentId,
    configurationArn: jobDocument.configurationArn,
    components: {
      "com.example.Hello": { version: "1.0.0", configurationUpdate: { merge: { text: expect.any(String) } } },
    },
  });
  expect((await core.dataPlane("GET", path("none"))).status).toBe(404);
  await core.stop();
});

/**
 * A nucleus connects, tells its status and asks what it has to do.
 * Plays of the facts: 1 (connection), 1.1 and 1.2 without anything to do, 1.3, 1.4, 1.6, 6, and of 9 "Connect",
 * "Credentials" and "Reconnect"; a revoked certificate.
 */
import {
  GetCoreDeviceCommand,
  ListCoreDevicesCommand,
  ListInstalledComponentsCommand,
} from "@aws-sdk/client-greengrassv2";
import { UpdateCertificateCommand } from "@aws-sdk/client-iot";
import { ListBucketsCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ConformanceCloud, ROLE_ALIAS } from "./conformance-cloud.ts";
import { fleetStatus, nucleusFilters, topicsOf } from "./nucleus-words.ts";

let cloud: ConformanceCloud;
beforeAll(async () => {
  cloud = await ConformanceCloud.start();
});
afterAll(() => cloud.close());

test("it connects with the least policy, and gets its six subscriptions and nothing more", async () => {
  const core = await cloud.device("connects");
  const settings = await core.start();
  expect(settings).toMatchObject({
    clientId: "connects",
    sessionExpiryInterval: 604_800,
    serverKeepAlive: 60,
    maximumQos: 1,
    receiveMaximumFromServer: 100,
    retainAvailable: true,
  });
  expect(await core.subscribe(...nucleusFilters("connects"))).toEqual([1, 1, 1, 1, 1, 1]);
  // What the policy does not name: another thing's jobs, and a topic of components.
  expect(await core.subscribe("$aws/things/other/jobs/notify", "hello/world")).toEqual([0x87, 0x87]);
  expect(await core.publish("hello/world", "{}")).toBe(0x87);
  await core.stop();
});

test("with nothing to do, $next has no execution and the shadow is not there", async () => {
  const core = await cloud.device("idle");
  await core.start();
  const { next, shadow } = topicsOf("idle");
  await core.subscribe(...nucleusFilters("idle"), `${shadow}/get/rejected`);
  await core.publish(next, { thingName: "idle", jobId: "$next", includeJobDocument: true });
  const answer = await core.next(`${next}/accepted`);
  expect(answer).toEqual({ timestamp: expect.any(Number) });
  expect(Math.abs(answer.timestamp - Date.now() / 1000)).toBeLessThan(60);
  await core.publish(`${shadow}/get`, { thingName: "idle", shadowName: "AWSManagedGreengrassV2Deployment" });
  expect(await core.next(`${shadow}/get/rejected`)).toMatchObject({ code: 404, message: expect.any(String) });
  await core.stop();
});

test("fleet status makes a core device, whole, in chunks and in parts, and its numbers may go back", async () => {
  const core = await cloud.device("status");
  await core.start();
  const { health } = topicsOf("status");
  const component = (componentName: string, status: string, more: object = {}) => ({
    componentName,
    version: "1.0.0",
    fleetConfigArns: [],
    componentStatusDetails: null,
    isRoot: true,
    status,
    ...more,
  });
  const installed = async (): Promise<unknown[]> => {
    const asked = { coreDeviceThingName: "status", topologyFilter: "ALL" } as const;
    const { installedComponents = [] } = await cloud.greengrass.send(
      new ListInstalledComponentsCommand(asked),
    );
    return installedComponents.map(
      ({ componentName, lifecycleState }) => `${componentName} ${lifecycleState}`,
    );
  };
  const say = (more: object) => core.publish(health, fleetStatus("status", more));
  await say({
    sequenceNumber: 0,
    components: [
      component("aws.greengrass.Nucleus", "NEW", { version: "2.18.0", isRoot: false }),
      component("DeploymentService", "RUNNING", { version: null, isRoot: false }),
      component("main", "FINISHED", { version: null }),
    ],
  });
  expect(
    await cloud.greengrass.send(new GetCoreDeviceCommand({ coreDeviceThingName: "status" })),
  ).toMatchObject({
    coreVersion: "2.18.0",
    platform: "linux",
    architecture: "amd64",
    status: "HEALTHY",
  });
  expect(await installed()).toEqual(["aws.greengrass.Nucleus NEW"]);
  const chunk = (chunkId: number, name: string) =>
    say({
      sequenceNumber: 5,
      trigger: "CADENCE",
      chunkInfo: { chunkId, totalChunks: 2 },
      components: [component(name, "RUNNING")],
    });
  await chunk(1, "A");
  await chunk(2, "B");
  expect(await installed()).toEqual(["A RUNNING", "B RUNNING"]);
  const error = { statusCodes: ["RUN_ERROR"], statusReason: "The run script exited with code 3." };
  const partial = (status: string, more: object) =>
    say({
      messageType: "PARTIAL",
      trigger: "COMPONENT_STATUS_CHANGE",
      components: [component("A", status, { componentStatusDetails: error })],
      ...more,
    });
  // The sequence number lies in the configuration, which a rollback takes back.
  await partial("ERRORED", { sequenceNumber: 4 });
  expect(await installed()).toEqual(["A ERRORED", "B RUNNING"]);
  await partial("BROKEN", { sequenceNumber: 6, overallDeviceStatus: "UNHEALTHY" });
  const unhealthy = await cloud.greengrass.send(new ListCoreDevicesCommand({ status: "UNHEALTHY" }));
  expect(unhealthy.coreDevices?.map((one) => one.coreDeviceThingName)).toEqual(["status"]);
  // A component that went is told once, by a state that it does not have any more.
  await say({ messageType: "PARTIAL", sequenceNumber: 7, components: [component("B", "UNINSTALLED")] });
  expect(await installed()).toEqual(["A BROKEN"]);
  await say({ messageType: "PARTIAL", trigger: "RECONNECT", sequenceNumber: 8, components: [] });
  expect(await installed()).toEqual(["A BROKEN"]);
  // Telemetry and what nobody can read are taken, and harm nothing.
  expect(await core.publish(topicsOf("status").telemetry, { Schema: "2022-06-30", ADP: [] })).toBe(0);
  expect(await core.publish(health, "no JSON")).toBe(0);
  expect(await installed()).toEqual(["A BROKEN"]);
  await core.stop();
});

test("the credentials provider gives credentials that the device's own SDK clients work with", async () => {
  const core = await cloud.device("credentials");
  const { status, body } = await core.credentials(ROLE_ALIAS);
  expect([status, Object.keys(body.credentials)]).toEqual([
    200,
    ["accessKeyId", "secretAccessKey", "sessionToken", "expiration"],
  ]);
  expect(body.credentials.expiration).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  const credentials = { ...body.credentials, expiration: new Date(body.credentials.expiration) };
  const client = { endpoint: cloud.endpoint, region: "us-east-1", credentials };
  const me = await new STSClient(client).send(new GetCallerIdentityCommand({}));
  expect(me.Arn).toBe("arn:aws:sts::123456789012:assumed-role/tes/credentials");
  const s3 = new S3Client(client);
  await s3.send(new PutObjectCommand({ Bucket: "artifacts", Key: "from/device", Body: "x" }));
  await expect(s3.send(new ListBucketsCommand({}))).rejects.toMatchObject({ name: "AccessDenied" });
  expect(await core.credentials("Unknown")).toMatchObject({
    status: 404,
    body: { message: "Role alias does not exist" },
  });
  expect((await core.dataPlane("GET", "/")).status).toBe(404);
  core.close();
});

test("over a restart of the cloud its session stays, and answers that waited come", async () => {
  const core = await cloud.device("resumes");
  await core.start();
  const { next, shadow } = topicsOf("resumes");
  await core.subscribe(...nucleusFilters("resumes"));
  const back = core.reconnected();
  await cloud.restart();
  expect(await back).toBe(true);
  // As the nucleus does it: it asks before it subscribes anew.
  await core.publish(next, { thingName: "resumes", jobId: "$next", includeJobDocument: true });
  expect(await core.next(`${next}/accepted`)).toEqual({ timestamp: expect.any(Number) });
  await core.publish(`${shadow}/update`, { state: { reported: { a: 1 } } });
  expect(await core.next(`${shadow}/update/accepted`)).toMatchObject({ version: 1 });
  await core.stop();
});

test("a revoked certificate loses its session, and no door opens to it again", async () => {
  const core = await cloud.device("revoked");
  await core.start();
  const cut = core.disconnected();
  const { certificateId } = core;
  await cloud.iot.send(new UpdateCertificateCommand({ certificateId, newStatus: "REVOKED" }));
  await cut;
  expect((await core.dataPlane("GET", "/greengrass/v2/coreDevices/revoked/thingGroups")).status).toBe(403);
  expect((await core.credentials(ROLE_ALIAS)).status).toBe(403);
  await core.stop();
  const again = core.again();
  await expect(again.start()).rejects.toBeDefined();
  await again.stop();
});

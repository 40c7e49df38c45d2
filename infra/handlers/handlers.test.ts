import {
  CreateTopicRuleCommand,
  CreateThingCommand,
  IoTClient,
  DescribeCertificateCommand,
} from "@aws-sdk/client-iot";
import { IoTDataPlaneClient, PublishCommand } from "@aws-sdk/client-iot-data-plane";
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateCertificateFromCsrCommand,
  CreatePolicyCommand,
} from "@aws-sdk/client-iot";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { topics } from "@coalmine/contract";
import { certificateAnswerTopic } from "@coalmine/contract/commissioning";
import { newSigningRequest } from "@coalmine/device/signing-request";
import { nodeCrypto } from "@coalmine/device/crypto";
import { silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import {
  closeClaimCloud,
  ensureCommissioningTable,
  openClaimCloud,
  type ClaimCloud,
} from "../../api/claims/claim-cloud.ts";
import { historyOf } from "../../api/devices/history.ts";
import { activeCertificates } from "../../api/devices/registry.ts";
import { ThingName } from "@coalmine/contract";
import { decodePoints, encodePoints } from "../../components/stream-uploader/src/batch-record.ts";
import { curve } from "../../components/stream-uploader/src/device.fixture.ts";
import { LakeRows } from "../../components/stream-uploader/src/lake-file.ts";
import { EvidenceStore, MINUTE_MS } from "../../pipeline/evidence/evidence-store.ts";
import { embeddedMetrics } from "../../simulator/cloud/cloudwatch/embedded-metrics.ts";
import { startTestCloud, type TestCloud } from "../../simulator/cloud/protocol/test-cloud.ts";
import { commissioningFunctions, functionNames } from "../identity/functions.ts";
import { devicePolicy, names } from "../identity/identity.ts";
import { EVIDENCE_FUNCTION, evidenceFunction, evidenceRules } from "./evidence/evidence.ts";
import { askFunction, intakeFunction, resultFunctions } from "./results/results.ts";
import { fileShelf, RESULTS_TABLE, tableShelf } from "./results/shelf.ts";

const thing = ThingName.parse("core-01");
const account = "123456789012";
const functionArn = (name: string): string => `arn:aws:lambda:us-east-1:${account}:function:${name}`;
const functions: Record<string, (event: unknown) => unknown> = {};
const lines: string[] = [];
let cloud: TestCloud;
let iot: IoTClient;
let data: IoTDataPlaneClient;
let s3: S3Client;
let dynamodb: DynamoDBClient;
let events: EventBridgeClient;
let claims: ClaimCloud;
let store: EvidenceStore;

beforeAll(async () => {
  // Names are looked up when a function is called: they are handed over before the clients exist.
  const late = (name: string) => [name, (event: unknown) => functions[name]?.(event)] as const;
  const all = [EVIDENCE_FUNCTION, resultFunctions.intake, functionNames.certificates];
  cloud = await startTestCloud({ functions: Object.fromEntries(all.map(late)) });
  iot = new IoTClient(cloud.client);
  data = new IoTDataPlaneClient(cloud.client);
  s3 = new S3Client({ ...cloud.client, forcePathStyle: true });
  dynamodb = new DynamoDBClient(cloud.client);
  events = new EventBridgeClient(cloud.client);
  claims = openClaimCloud(cloud.client, {
    clock: systemClock,
    log: silentLog,
    template: "t",
    bucket: "reports",
  });
  await ensureCommissioningTable(claims);
  store = new EvidenceStore(dynamodb, "fleet");
  await store.ensure(systemClock);
  functions[EVIDENCE_FUNCTION] = evidenceFunction({
    put: (row) => store.put(row),
    log: silentLog,
    metricLine: (line) => lines.push(line),
  });
  Object.assign(functions, commissioningFunctions(claims));
  await s3.send(new CreateBucketCommand({ Bucket: "lake" }));
});
afterAll(async () => {
  for (const client of [iot, data, s3, dynamodb, events]) client.destroy();
  closeClaimCloud(claims);
  await cloud.close();
});

const publish = (topic: string, message: object) =>
  data.send(new PublishCommand({ topic, payload: Buffer.from(JSON.stringify(message)) }));

test("by the stack's own rules, heartbeats and fleet status become rows of evidence, and heartbeats metrics", async () => {
  for (const [ruleName, sql] of Object.entries(evidenceRules))
    await iot.send(
      new CreateTopicRuleCommand({
        ruleName,
        topicRulePayload: {
          sql,
          awsIotSqlVersion: "2016-03-23",
          actions: [{ lambda: { functionArn: functionArn(EVIDENCE_FUNCTION) } }],
        },
      }),
    );
  const component = {
    version: 1,
    component: "coalmine.StreamUploader",
    componentVersion: "1.2.3",
    startedMs: 1,
    counters: { received: 7 },
    gauges: { oldestAgeMs: 1500, diskFreeBytes: 9 },
    sums: {},
    ageMs: 4,
  };
  await publish(topics.heartbeat(thing), {
    version: 1,
    thing,
    sentMs: 2,
    sequence: 3,
    components: [component],
  });
  await publish(`$aws/things/${thing}/greengrassv2/health/json`, {
    thing,
    overallDeviceStatus: "UNHEALTHY",
    components: [{ componentName: "coalmine.Inference", status: "BROKEN" }],
  });
  const rows = async () => {
    const minute = Math.floor(systemClock.now() / MINUTE_MS);
    return [...(await store.minute(minute - 1)), ...(await store.minute(minute))];
  };
  await vi.waitFor(async () => expect(await rows()).toHaveLength(2), 10_000);
  expect((await rows()).sort((a, b) => (a.source < b.source ? -1 : 1))).toMatchObject([
    { source: "fleetStatus", thing, healthy: false, broken: ["coalmine.Inference"] },
    { source: "heartbeat", thing, counters: { "streamUploader.received": 7 } },
  ]);
  const metrics = JSON.stringify(embeddedMetrics(lines[0] ?? "", systemClock.now()));
  expect(metrics).toContain('"heard"');
  expect(metrics).toContain('"oldestAgeMs"');
});

test("what AWS IoT tells of connections and jobs are rows too, and anything else fails", async () => {
  const rows: unknown[] = [];
  const handle = evidenceFunction({
    put: async (row) => void rows.push(row),
    log: silentLog,
    metricLine: () => undefined,
  });
  await handle({ thing, presence: "disconnected", at: 5, reason: "CONNECTION_LOST" });
  const thingArn = `arn:aws:iot:us-east-1:${account}:thing/${thing}`;
  await handle({
    jobId: "j",
    thingArn,
    status: "FAILED",
    statusDetails: { "deployment-failure-cause": "no" },
    at: 6,
  });
  expect(rows).toEqual([
    { source: "connection", thing, atMs: 5, connected: false, reason: "CONNECTION_LOST" },
    { source: "job", thing, atMs: 6, jobId: "j", status: "FAILED", reason: "no" },
  ]);
  await expect(handle({ something: "else" })).rejects.toThrow("jobId");
});

const lakeObject = (boot: number): Uint8Array => {
  const points = curve(boot, 1, 60);
  const rows = new LakeRows(thing);
  const columns = decodePoints(encodePoints(points));
  for (let at = 0; at < points.length; at++) rows.add(columns, at);
  return rows.toParquet({}, nodeCrypto);
};
const asks = (path: string, groups?: string) => ({
  rawPath: path,
  requestContext: {
    http: { method: "GET", sourceIp: "192.0.2.1" },
    ...(groups === undefined
      ? {}
      : { authorizer: { jwt: { claims: { sub: "ada", "cognito:groups": groups } } } }),
  },
});

test("a new object of the lake brings the latest result to a clinician and to the device, and an older one changes nothing", async () => {
  await dynamodb.send(
    new CreateTableCommand({
      TableName: RESULTS_TABLE,
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [
        { AttributeName: "thing", KeyType: "HASH" },
        { AttributeName: "what", KeyType: "RANGE" },
      ],
      AttributeDefinitions: [
        { AttributeName: "thing", AttributeType: "S" },
        { AttributeName: "what", AttributeType: "S" },
      ],
    }),
  );
  const shelf = tableShelf(dynamodb);
  functions[resultFunctions.intake] = intakeFunction(s3, shelf);
  const EventPattern = JSON.stringify({ source: ["aws.s3"], "detail-type": ["Object Created"] });
  await events.send(new PutRuleCommand({ Name: "new", EventPattern }));
  await events.send(
    new PutTargetsCommand({ Rule: "new", Targets: [{ Id: "1", Arn: functionArn(resultFunctions.intake) }] }),
  );
  const put = (Key: string, boot: number) =>
    s3.send(new PutObjectCommand({ Bucket: "lake", Key, Body: lakeObject(boot) }));
  await put("measurements/dt=2026-01-05/thing=core-01/e-1-60-v1.parquet", 2);
  await vi.waitFor(async () => expect(await shelf.of(thing)).toHaveLength(1), 10_000);
  const older = { detail: { bucket: { name: "lake" }, object: { key: "measurements/older.parquet" } } };
  await put(older.detail.object.key, 1);
  expect(await intakeFunction(s3, shelf)(older)).toEqual({ results: 1 });

  const ask = askFunction(shelf);
  const told = {
    statusCode: 200,
    body: expect.stringMatching(/"boot":2,"sequence":60,"channel":"casson-yield-stress"/),
  };
  expect(await ask(asks("/results/core-01", "[coalmine-viewer]"))).toMatchObject(told);
  expect(await ask(asks("/devices/core-01/results"))).toMatchObject(told);
  expect(await ask(asks("/results/core-01"))).toMatchObject({ statusCode: 403 });
  expect(await ask(asks("/results/core-02", "[coalmine-viewer]"))).toMatchObject({ statusCode: 404 });
  expect(await ask(asks("/results/a%2Fb", "[coalmine-viewer]"))).toMatchObject({ statusCode: 400 });
  expect(await ask(asks("/others"))).toMatchObject({ statusCode: 404 });
});

test("by files alone the same results lie in the lake, also where two objects come at once", async () => {
  const shelf = fileShelf(s3, "lake");
  const intake = intakeFunction(s3, shelf);
  const objects = [1, 3, 2].map((boot) => [`measurements/at-once-${boot}.parquet`, boot] as const);
  for (const [Key, boot] of objects)
    await s3.send(new PutObjectCommand({ Bucket: "lake", Key, Body: lakeObject(boot) }));
  await Promise.all(
    objects.map(([key]) => intake({ detail: { bucket: { name: "lake" }, object: { key } } })),
  );
  expect(await shelf.of(thing)).toMatchObject([{ boot: 3, sequence: 60, modelSha256: "ab".repeat(32) }]);
});

test("a device's certificate is changed for one of a new key, and the old one is revoked once the new one is used", async () => {
  await iot.send(new CreateThingCommand({ thingName: thing }));
  const place = { region: "us-east-1", accountId: account, partition: "aws" };
  const policyDocument = JSON.stringify(devicePolicy(place));
  await iot.send(new CreatePolicyCommand({ policyName: names.devicePolicy, policyDocument }));
  const { certificateArn = "", certificateId: old = "" } = await iot.send(
    new CreateCertificateFromCsrCommand({
      certificateSigningRequest: newSigningRequest(thing).request,
      setAsActive: true,
    }),
  );
  await iot.send(new AttachPolicyCommand({ policyName: names.devicePolicy, target: certificateArn }));
  await iot.send(new AttachThingPrincipalCommand({ thingName: thing, principal: certificateArn }));
  const told: { certificateId: string }[] = [];
  cloud.cloud.events.on((event) => {
    if (event.kind === "mqtt-message" && event.topic === certificateAnswerTopic(thing))
      told.push(JSON.parse(Buffer.from(event.payload).toString("utf8")));
  });
  const send = (principal: string, message: object) =>
    functions[functionNames.certificates]?.({ thing, principal, version: 1, ...message });
  const request = () => ({ kind: "request", request: newSigningRequest(thing).request });
  const statusOf = async (certificateId: string) =>
    (await iot.send(new DescribeCertificateCommand({ certificateId }))).certificateDescription?.status;

  // The first answer is lost on its way: the device asks again, and what was made for nothing is revoked.
  await send(old, request());
  await send(old, request());
  const [lost = "", next = ""] = told.map(({ certificateId }) => certificateId);
  expect(await statusOf(lost)).toBe("REVOKED");
  expect(await activeCertificates(claims, thing)).toHaveLength(2);
  await send(next, { kind: "confirm" });
  await send(next, { kind: "confirm" });
  expect(await activeCertificates(claims, thing)).toEqual([next]);
  expect(await statusOf(old)).toBe("REVOKED");
  expect(await historyOf(claims, thing)).toMatchObject([
    { kind: "rotated", certificateId: next, revoked: [old] },
  ]);
  // Whoever shows a certificate that is none of the thing's takes nothing from it.
  await expect(send(old, request())).rejects.toThrow();
  expect(await activeCertificates(claims, thing)).toEqual([next]);
});

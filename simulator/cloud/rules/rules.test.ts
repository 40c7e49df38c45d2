import { CloudWatchClient, GetMetricStatisticsCommand } from "@aws-sdk/client-cloudwatch";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  GetLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { CreateTableCommand, DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { CreateDeliveryStreamCommand, FirehoseClient } from "@aws-sdk/client-firehose";
import {
  CreateTopicRuleCommand,
  DeleteTopicRuleCommand,
  DisableTopicRuleCommand,
  EnableTopicRuleCommand,
  GetTopicRuleCommand,
  IoTClient,
  ListTopicRulesCommand,
  ReplaceTopicRuleCommand,
  ResourceAlreadyExistsException,
  SqlParseException,
  UnauthorizedException,
  type Action,
  type TopicRulePayload,
} from "@aws-sdk/client-iot";
import { GetThingShadowCommand, IoTDataPlaneClient, PublishCommand } from "@aws-sdk/client-iot-data-plane";
import {
  CreateStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
} from "@aws-sdk/client-kinesis";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { DrivenClock } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { BareClient } from "../broker/client.ts";
import { linkPair } from "../broker/link-pair.ts";
import { everything } from "../iot/iot-rig.ts";
import { startTestCloud, type TestCloud } from "../protocol/test-cloud.ts";
import { memoryStore } from "../store/memory-store.ts";

const roleArn = "arn:aws:iam::123456789012:role/rules";
const START = Date.UTC(2026, 10, 23, 8);
const called: unknown[] = [];
let cloud: TestCloud;
let clock: DrivenClock;
let iot: IoTClient;
let data: IoTDataPlaneClient;
let closing: { destroy(): void }[];

beforeEach(async () => {
  clock = new DrivenClock(START, () => new Promise((done) => setImmediate(done)));
  called.length = 0;
  cloud = await startTestCloud({
    clock,
    wallClock: systemClock,
    store: memoryStore(),
    functions: {
      hear: (event) => called.push(event),
      fail: () => {
        throw new Error("no such viscosity");
      },
    },
  });
  closing = [];
  iot = client(IoTClient);
  data = client(IoTDataPlaneClient);
});
afterEach(async () => {
  for (const one of closing) one.destroy();
  await cloud.close();
});

function client<Client extends { destroy(): void }>(
  Kind: new (options: TestCloud["client"]) => Client,
): Client {
  const made = new Kind({ ...cloud.client, requestHandler: new NodeHttpHandler() } as TestCloud["client"]);
  closing.push(made);
  return made;
}
const rule = (ruleName: string, sql: string, actions: Action[], more: Partial<TopicRulePayload> = {}) =>
  iot.send(
    new CreateTopicRuleCommand({
      ruleName,
      topicRulePayload: { sql, actions, awsIotSqlVersion: "2016-03-23", ...more },
    }),
  );
const publish = (topic: string, payload: unknown, qos = 1) =>
  data.send(
    new PublishCommand({
      topic,
      qos,
      payload: Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload)),
    }),
  );
const hear = (name = "hear"): Action => ({
  lambda: { functionArn: `arn:aws:lambda:us-east-1:123456789012:function:${name}` },
});
async function device(thingName: string): Promise<BareClient> {
  const parts = cloud.cloud.iot;
  parts.iot.things.createThing(thingName);
  const { certificateId } = parts.iot.certificates.registerInProcess(thingName);
  parts.iot.things.principals.add(thingName, certificateId);
  parts.iot.policies.create(`p-${thingName}`, JSON.stringify(everything));
  parts.iot.policies.attached.add(`p-${thingName}`, `cert/${certificateId}`);
  const [here, there] = linkPair();
  parts.broker.accept(there, { certificateId, thingName, kind: "in-process" });
  const bare = new BareClient(here);
  bare.connect(thingName);
  await clock.settle();
  return bare;
}

test("a rule is created, told, listed, replaced, disabled, enabled and deleted", async () => {
  const errorAction = { republish: { roleArn, topic: "errors" } };
  await rule("Hot", "SELECT * FROM 'site/+/t'", [hear()], { description: "hot ones", errorAction });
  await rule("Other", "SELECT * FROM 'x'", [hear()], { ruleDisabled: true });
  await expect(rule("Hot", "SELECT 1 FROM 'x'", [hear()])).rejects.toBeInstanceOf(
    ResourceAlreadyExistsException,
  );
  const { rule: told, ruleArn } = await iot.send(new GetTopicRuleCommand({ ruleName: "Hot" }));
  expect(ruleArn).toBe("arn:aws:iot:us-east-1:123456789012:rule/Hot");
  expect(told).toEqual({
    ruleName: "Hot",
    sql: "SELECT * FROM 'site/+/t'",
    description: "hot ones",
    actions: [hear()],
    errorAction,
    awsIotSqlVersion: "2016-03-23",
    ruleDisabled: false,
    createdAt: new Date(START),
  });
  const list = async (topic?: string, ruleDisabled?: boolean) =>
    (await iot.send(new ListTopicRulesCommand({ topic, ruleDisabled }))).rules?.map((one) => one.ruleName);
  expect(await list()).toEqual(["Hot", "Other"]);
  expect(await list("x")).toEqual(["Other"]);
  expect(await list(undefined, true)).toEqual(["Other"]);
  const first = await iot.send(new ListTopicRulesCommand({ maxResults: 1 }));
  expect(first.rules).toMatchObject([{ ruleName: "Hot", topicPattern: "site/+/t", ruleDisabled: false }]);
  const { nextToken } = first;
  expect((await iot.send(new ListTopicRulesCommand({ nextToken }))).rules).toMatchObject([
    { ruleName: "Other" },
  ]);

  await iot.send(new DisableTopicRuleCommand({ ruleName: "Hot" }));
  await publish("site/a/t", { t: 1 });
  await iot.send(new EnableTopicRuleCommand({ ruleName: "Hot" }));
  await publish("site/a/t", { t: 2 });
  const topicRulePayload = { sql: "SELECT t FROM 'y/#'", actions: [hear()] };
  await iot.send(new ReplaceTopicRuleCommand({ ruleName: "Hot", topicRulePayload }));
  await publish("site/a/t", { t: 3 });
  await publish("y/z", { t: 4, u: 5 });
  await clock.settle();
  expect(called).toEqual([{ t: 2 }, { t: 4 }]);
  await iot.send(new DeleteTopicRuleCommand({ ruleName: "Hot" }));
  await publish("y/z", { t: 6 });
  await clock.settle();
  expect(called).toHaveLength(2);
  for (const Command of [GetTopicRuleCommand, DeleteTopicRuleCommand, EnableTopicRuleCommand])
    await expect(iot.send(new Command({ ruleName: "Hot" }))).rejects.toBeInstanceOf(UnauthorizedException);
});

test("what is no rule is refused when it is made", async () => {
  const sql = "SELECT * FROM 'x'";
  await expect(rule("a", "SELECT * FROM", [hear()])).rejects.toBeInstanceOf(SqlParseException);
  await expect(rule("a", "SELECT * FROM 'a/#/b'", [hear()])).rejects.toThrow("wildcard in the wrong place");
  await expect(
    rule("a", sql, [{ s3: { roleArn, bucketName: "b", key: "${topic(" } }]),
  ).rejects.toBeInstanceOf(SqlParseException);
  await expect(rule("a-b", sql, [hear()])).rejects.toThrow(/ruleName/);
  await expect(
    rule(
      "a",
      sql,
      Array.from({ length: 11 }, () => hear()),
    ),
  ).rejects.toThrow(/actions/);
  await expect(rule("a", sql, [{ sqs: { roleArn, queueUrl: "q" } }])).rejects.toThrow(
    /exactly one of .*; given: sqs/,
  );
});

test("messages of MQTT clients and of the data plane go through rules, with who sent them", async () => {
  const sql = "SELECT v, clientid() AS c, topic(1) AS t, principal() AS p FROM 'in/#' WHERE v > 1";
  await rule("all", sql, [hear()]);
  const rheo = await device("rheo-1");
  rheo.publish("in/a", JSON.stringify({ v: 1 }));
  rheo.publish("in/a", JSON.stringify({ v: 2 }));
  await clock.settle();
  await publish("in/b", { v: 3 });
  await clock.settle();
  const [certificateId] = cloud.cloud.iot.iot.things.principals.rightOf("rheo-1");
  expect(called).toEqual([
    { v: 2, c: "rheo-1", t: "in", p: certificateId },
    { v: 3, c: "n/a", t: "in" },
  ]);
});

test("Basic Ingest runs the one rule that it names, and no subscriber hears it", async () => {
  await rule("one", "SELECT topic() AS t FROM 'elsewhere'", [hear()]);
  await rule("two", "SELECT 2 AS two FROM '#'", [hear()]);
  await rule("off", "SELECT 1 AS off", [hear()], { ruleDisabled: true });
  const rheo = await device("rheo-1");
  await clock.settle();
  called.length = 0;
  rheo.subscribe("#");
  rheo.publish("$aws/rules/one/site/a", "{}");
  rheo.publish("$aws/rules/off/site/a", "{}");
  await clock.settle();
  expect(called).toEqual([{ t: "site/a" }]);
  expect(rheo.payloads).toEqual([]);
});

test("presence and shadow answers go through rules too", async () => {
  await rule("presence", "SELECT eventType AS e FROM '$aws/events/presence/+/+'", [hear()]);
  await rule("shadow", "SELECT state.reported.t FROM '$aws/things/+/shadow/update/accepted'", [hear()]);
  const rheo = await device("rheo-1");
  rheo.publish("$aws/things/rheo-1/shadow/update", JSON.stringify({ state: { reported: { t: 37 } } }));
  await clock.settle();
  expect(called).toEqual([{ e: "connected" }, { t: 37 }]);
});

test("republish goes to subscribers with its headers, to shadows, and through further rules but not for ever", async () => {
  await rule("forth", "SELECT v + 1 AS v FROM 'in/+'", [
    {
      republish: {
        roleArn,
        topic: "out/${topic(2)}",
        qos: 1,
        headers: { contentType: "application/json", userProperties: [{ key: "k", value: "x" }] },
      },
    },
    { republish: { roleArn, topic: "$$aws/things/${topic(2)}/shadow/update" } },
  ]);
  await rule("toShadow", "SELECT {'reported': {'v': v}} AS state FROM 'state/+'", [
    { republish: { roleArn, topic: "$$aws/things/${topic(2)}/shadow/update" } },
  ]);
  const rheo = await device("rheo-1");
  rheo.subscribe("out/#");
  await publish("in/rheo-1", { v: 1 });
  await publish("state/rheo-1", { v: 41 });
  await clock.settle();
  expect(rheo.payloads).toEqual([JSON.stringify({ v: 2 })]);
  expect(rheo.messages[0]?.properties).toMatchObject({
    contentType: "application/json",
    userProperties: { k: "x" },
  });
  const { payload } = await data.send(new GetThingShadowCommand({ thingName: "rheo-1" }));
  expect(JSON.parse(Buffer.from(payload ?? []).toString())).toMatchObject({ state: { reported: { v: 41 } } });

  await rule("loop", "SELECT n + 1 AS n FROM 'loop'", [{ republish: { roleArn, topic: "loop" } }, hear()]);
  await publish("loop", { n: 0 });
  await clock.settle();
  expect(called.at(-1)).toEqual({ n: 17 });
});

test("a value becomes a CloudWatch metric, at its own time", async () => {
  const watch = client(CloudWatchClient);
  const cloudwatchMetric = {
    roleArn,
    metricNamespace: "Site",
    metricName: "${topic(2)}",
    metricValue: "${v}",
    metricUnit: "Percent",
    metricTimestamp: "${at}",
  };
  await rule("metric", "SELECT * FROM 'in/+'", [{ cloudwatchMetric }], { errorAction: hear() });
  await publish("in/rheo-1", { v: 40, at: START / 1000 - 60 });
  await publish("in/rheo-1", { v: "much", at: START / 1000 });
  await clock.settle();
  const { Datapoints } = await watch.send(
    new GetMetricStatisticsCommand({
      Namespace: "Site",
      MetricName: "rheo-1",
      StartTime: new Date(START - 600_000),
      EndTime: new Date(START + 60_000),
      Period: 60,
      Statistics: ["Sum"],
    }),
  );
  expect(Datapoints).toEqual([{ Timestamp: new Date(START - 60_000), Sum: 40, Unit: "Percent" }]);
  expect(called).toMatchObject([{ failures: [{ failedAction: "CloudwatchMetricAction" }] }]);
});

test("actions write to S3, Firehose, Kinesis, DynamoDB and logs", async () => {
  const s3 = client(S3Client);
  const kinesis = client(KinesisClient);
  const dynamo = client(DynamoDBClient);
  const logs = client(CloudWatchLogsClient);
  await s3.send(new CreateBucketCommand({ Bucket: "lake" }));
  await kinesis.send(new CreateStreamCommand({ StreamName: "readings", ShardCount: 1 }));
  await logs.send(new CreateLogGroupCommand({ logGroupName: "/rules" }));
  await dynamo.send(
    new CreateTableCommand({
      TableName: "latest",
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [{ AttributeName: "device", KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: "device", AttributeType: "S" }],
    }),
  );
  await client(FirehoseClient).send(
    new CreateDeliveryStreamCommand({
      DeliveryStreamName: "to-lake",
      S3DestinationConfiguration: { RoleARN: roleArn, BucketARN: "arn:aws:s3:::lake", Prefix: "fire/" },
    }),
  );
  await rule("spread", "SELECT *, topic(2) AS device FROM 'in/+'", [
    {
      s3: {
        roleArn,
        bucketName: "lake",
        key: "raw/${parse_time('yyyy/MM/dd', timestamp())}/${topic(2)}.json",
      },
    },
    { firehose: { roleArn, deliveryStreamName: "to-lake", separator: "\n" } },
    { kinesis: { roleArn, streamName: "readings", partitionKey: "${topic(2)}" } },
    { dynamoDBv2: { roleArn, putItem: { tableName: "latest" } } },
    { cloudwatchLogs: { roleArn, logGroupName: "/rules" } },
  ]);
  await rule("batch", "SELECT * FROM 'batch'", [
    { firehose: { roleArn, deliveryStreamName: "to-lake", separator: "\n", batchMode: true } },
    { cloudwatchLogs: { roleArn, logGroupName: "/rules", batchMode: true } },
  ]);
  const reading = { v: 4.5, ok: true, none: null, list: [1, "a"], inner: { x: "y" } };
  await publish("in/rheo-1", reading);
  await publish("in/rheo-1", { v: 5 });
  await publish("batch", [
    { timestamp: START + 1, message: "second" },
    { timestamp: START, message: "first" },
  ]);
  await clock.settle();
  const out = { ...reading, device: "rheo-1" };
  const body = async (Key: string) =>
    (await s3.send(new GetObjectCommand({ Bucket: "lake", Key }))).Body?.transformToString();
  expect(JSON.parse((await body("raw/2026/11/23/rheo-1.json")) ?? "")).toEqual({ v: 5, device: "rheo-1" });
  const { ShardIterator } = await kinesis.send(
    new GetShardIteratorCommand({
      StreamName: "readings",
      ShardId: "shardId-000000000000",
      ShardIteratorType: "TRIM_HORIZON",
    }),
  );
  const { Records = [] } = await kinesis.send(new GetRecordsCommand({ ShardIterator }));
  expect(Records.map((record) => record.PartitionKey)).toEqual(["rheo-1", "rheo-1"]);
  expect(JSON.parse(Buffer.from(Records[0]?.Data ?? []).toString())).toEqual(out);
  const { Item } = await dynamo.send(
    new GetItemCommand({ TableName: "latest", Key: { device: { S: "rheo-1" } } }),
  );
  expect(Item).toEqual({ device: { S: "rheo-1" }, v: { N: "5" } });
  const lines = async (logStreamName: string) =>
    (
      await logs.send(new GetLogEventsCommand({ logGroupName: "/rules", logStreamName, startFromHead: true }))
    ).events?.map((event) => event.message);
  expect(await lines("spread")).toEqual([JSON.stringify(out), JSON.stringify({ v: 5, device: "rheo-1" })]);
  expect(await lines("batch")).toEqual(["first", "second"]);
  await clock.runUntil(START + 600_000);
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: "lake", Prefix: "fire/" }));
  expect(Contents).toHaveLength(1);
  expect((await body(Contents[0]?.Key ?? ""))?.split("\n")).toEqual([
    JSON.stringify(out),
    JSON.stringify({ v: 5, device: "rheo-1" }),
    JSON.stringify({ timestamp: START + 1, message: "second" }),
    JSON.stringify({ timestamp: START, message: "first" }),
    "",
  ]);
});

test("the error action is told which actions failed and why; the other actions ran", async () => {
  const actions = [hear("fail"), hear(), { s3: { roleArn, bucketName: "nowhere", key: "k" } }];
  await rule("bad", "SELECT v FROM 'in'", actions, { errorAction: hear("hear") });
  await publish("in", { v: 1 });
  await clock.settle();
  await vi.waitFor(() => expect(called).toHaveLength(2));
  expect(called[0]).toEqual({ v: 1 });
  expect(called[1]).toMatchObject({
    ruleName: "bad",
    topic: "in",
    clientId: "n/a",
    base64OriginalPayload: Buffer.from('{"v":1}').toString("base64"),
    failures: [
      { failedAction: "LambdaAction", errorMessage: "no such viscosity" },
      {
        failedAction: "S3Action",
        failedResource: "nowhere",
        errorMessage: expect.stringContaining("bucket"),
      },
    ],
  });
});

test("rules are there again after a restart", async () => {
  const options = {
    clock,
    wallClock: systemClock,
    store: memoryStore(),
    functions: { hear: (event: unknown) => called.push(event) },
  };
  await cloud.close();
  cloud = await startTestCloud(options);
  iot = client(IoTClient);
  await rule("kept", "SELECT v FROM 'in/+'", [hear()]);
  await cloud.close();
  cloud = await startTestCloud(options);
  data = client(IoTDataPlaneClient);
  await publish("in/a", { v: 7 });
  await clock.settle();
  expect(called).toEqual([{ v: 7 }]);
});

test("a payload nested beyond what a walk can stand is passed on as its bytes", async () => {
  await rule("deep", "SELECT * FROM 'in' WHERE isUndefined(v)", [hear()]);
  await publish("in", `${"[".repeat(50_000)}${"]".repeat(50_000)}`);
  await clock.settle();
  expect(called).toMatchObject([expect.any(Uint8Array)]);
});

import { CloudWatchClient, GetMetricStatisticsCommand } from "@aws-sdk/client-cloudwatch";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  GetLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { CreateTableCommand, DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { CreateDeliveryStreamCommand, FirehoseClient } from "@aws-sdk/client-firehose";
import { GetThingShadowCommand } from "@aws-sdk/client-iot-data-plane";
import {
  CreateStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
} from "@aws-sdk/client-kinesis";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { expect, test, vi } from "vitest";
import {
  aCloudForEachTest,
  roleArn,
  START,
  called,
  clock,
  data,
  client,
  rule,
  publish,
  hear,
  device,
} from "./rules-rig.ts";

aCloudForEachTest();

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

test("a message becomes one of an SNS topic", async () => {
  const sns = client(SNSClient);
  const { TopicArn = "" } = await sns.send(new CreateTopicCommand({ Name: "hot" }));
  await sns.send(
    new SubscribeCommand({ TopicArn, Protocol: "lambda", Endpoint: hear().lambda?.functionArn }),
  );
  await rule("tell", "SELECT v FROM 'in'", [{ sns: { roleArn, targetArn: TopicArn, messageFormat: "RAW" } }]);
  await publish("in", { v: 1 });
  await clock.settle();
  expect(called).toMatchObject([{ Records: [{ Sns: { TopicArn, Message: '{"v":1}' } }] }]);
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

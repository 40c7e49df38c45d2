import { CloudWatchClient, PutMetricAlarmCommand, SetAlarmStateCommand } from "@aws-sdk/client-cloudwatch";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  GetLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import {
  DeleteRuleCommand,
  DescribeRuleCommand,
  DisableRuleCommand,
  EventBridgeClient,
  InvalidEventPatternException,
  ListRuleNamesByTargetCommand,
  ListRulesCommand,
  ListTargetsByRuleCommand,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
  ResourceNotFoundException,
  TestEventPatternCommand,
  type PutEventsRequestEntry,
  type Target,
} from "@aws-sdk/client-eventbridge";
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { DrivenClock } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startTestCloud, type TestCloud } from "../protocol/test-cloud.ts";
import type { Input } from "../service.ts";
import { memoryStore } from "../store/memory-store.ts";
import type { Store } from "../store/store.ts";

const START = Date.UTC(2026, 10, 23, 8);
const functionArn = "arn:aws:lambda:us-east-1:123456789012:function:hear";
let clock: DrivenClock;
let store: Store;
let cloud: TestCloud;
let bridge: EventBridgeClient;
let heard: Input[];
let failures: number;

async function open(): Promise<void> {
  cloud = await startTestCloud({
    clock,
    wallClock: systemClock,
    store,
    functions: {
      hear: (event) => {
        if (failures-- > 0) throw new Error("not yet");
        heard.push(event);
      },
    },
  });
  bridge = new EventBridgeClient(cloud.client);
}
async function close(): Promise<void> {
  bridge.destroy();
  await cloud.close();
}

beforeEach(async () => {
  clock = new DrivenClock(START, () => new Promise((done) => setImmediate(done)));
  store = memoryStore();
  heard = [];
  failures = 0;
  await open();
});
afterEach(() => close());

const rule = (Name: string, pattern: object, ...targets: Partial<Target>[]) =>
  bridge.send(new PutRuleCommand({ Name, EventPattern: JSON.stringify(pattern) })).then(() =>
    bridge.send(
      new PutTargetsCommand({
        Rule: Name,
        Targets: targets.map((target, at) => ({ Id: `${at}`, Arn: functionArn, ...target })),
      }),
    ),
  );
const put = (...Entries: PutEventsRequestEntry[]) => bridge.send(new PutEventsCommand({ Entries }));
const entry = (detail: object, more: PutEventsRequestEntry = {}): PutEventsRequestEntry => ({
  Source: "coalmine",
  DetailType: "Verdict",
  Detail: JSON.stringify(detail),
  ...more,
});

test("an event that fits reaches the targets of its rule, in AWS's shape", async () => {
  await rule("halts", { source: ["coalmine"], detail: { verdict: ["HALT"] } }, {});
  const { Entries } = await put(
    entry({ verdict: "PROMOTE" }),
    entry({ verdict: "HALT" }, { Resources: ["r"] }),
  );
  await clock.settle();
  expect(heard).toEqual([
    {
      version: "0",
      id: Entries?.[1]?.EventId,
      "detail-type": "Verdict",
      source: "coalmine",
      account: "123456789012",
      time: "2026-11-23T08:00:00Z",
      region: "us-east-1",
      resources: ["r"],
      detail: { verdict: "HALT" },
    },
  ]);
});

test("entries that are none are told, the others pass", async () => {
  await rule("all", { source: [{ prefix: "" }] }, {});
  const { FailedEntryCount, Entries } = await put(
    entry({}, { Detail: "{" }),
    entry({}, { Source: "aws.s3" }),
    entry({}, { DetailType: undefined }),
    entry({ n: 1 }),
    entry({ n: 2 }, { EventBusName: "nosuch" }),
  );
  await clock.settle();
  expect(FailedEntryCount).toBe(3);
  expect(Entries?.map((one) => one.ErrorCode)).toEqual([
    "MalformedDetail",
    "NotAuthorizedForSourceException",
    "InvalidArgument",
    undefined,
    undefined,
  ]);
  expect(heard.map((event) => event.detail)).toEqual([{ n: 1 }]);
  await expect(put(...Array.from({ length: 11 }, () => entry({})))).rejects.toThrow(
    /less than or equal to 10/,
  );
});

test("a target may get a part, a constant, or a text made of the event", async () => {
  await rule(
    "shaped",
    { source: ["coalmine"] },
    { InputPath: "$.detail.list[1]" },
    { Input: '{"fixed":true}' },
    {
      InputTransformer: {
        InputPathsMap: { who: "$.detail.who", n: "$.detail.n", all: "$.detail" },
        InputTemplate: '{"text": "<who> has <n>", "n": <n>, "all": <all>, "none": <nosuch>}',
      },
    },
    { InputTransformer: { InputPathsMap: { who: "$.detail.who" }, InputTemplate: "Dear <who>" } },
  );
  const detail = { who: 'R"1', n: 3, list: [1, { x: "y" }] };
  await put(entry(detail));
  await clock.settle();
  expect(heard).toEqual([
    { x: "y" },
    { fixed: true },
    { text: 'R"1 has 3', n: 3, all: detail, none: "" },
    'Dear "R\\"1"',
  ]);
});

test("topics and log groups are targets too", async () => {
  const sns = new SNSClient(cloud.client);
  const logs = new CloudWatchLogsClient(cloud.client);
  const { TopicArn = "" } = await sns.send(new CreateTopicCommand({ Name: "t" }));
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: "lambda", Endpoint: functionArn }));
  await logs.send(new CreateLogGroupCommand({ logGroupName: "/aws/events/all" }));
  await rule(
    "both",
    { source: ["coalmine"] },
    { Arn: TopicArn, InputPath: "$.detail" },
    {
      Arn: "arn:aws:logs:us-east-1:123456789012:log-group:/aws/events/all",
      InputPath: "$.detail",
    },
  );
  await put(entry({ n: 1 }));
  await clock.settle();
  expect(heard[0].Records[0].Sns.Message).toBe('{"n":1}');
  const where = { logGroupName: "/aws/events/all", logStreamName: "both" };
  const { events } = await logs.send(new GetLogEventsCommand(where));
  expect(events?.map((event) => event.message)).toEqual(['{"n":1}']);
  sns.destroy();
  logs.destroy();
});

test("what S3 and alarms do is told, once each", async () => {
  await rule("cloud", { source: ["aws.s3", "aws.cloudwatch"] }, {});
  const s3 = new S3Client(cloud.client);
  const watch = new CloudWatchClient(cloud.client);
  await s3.send(new CreateBucketCommand({ Bucket: "lake" }));
  await s3.send(new PutObjectCommand({ Bucket: "lake", Key: "raw/ä.json", Body: "{}" }));
  await s3.send(new DeleteObjectCommand({ Bucket: "lake", Key: "raw/ä.json" }));
  await s3.send(new DeleteObjectCommand({ Bucket: "lake", Key: "raw/ä.json" }));
  await watch.send(
    new PutMetricAlarmCommand({
      AlarmName: "late",
      Namespace: "C",
      MetricName: "L",
      Statistic: "Sum",
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 1,
      ComparisonOperator: "GreaterThanThreshold",
    }),
  );
  await watch.send(new SetAlarmStateCommand({ AlarmName: "late", StateValue: "ALARM", StateReason: "r" }));
  await clock.settle();
  expect(heard.map((event) => [event["detail-type"], event.resources])).toEqual([
    ["Object Created", ["arn:aws:s3:::lake"]],
    ["Object Deleted", ["arn:aws:s3:::lake"]],
    ["CloudWatch Alarm State Change", ["arn:aws:cloudwatch:us-east-1:123456789012:alarm:late"]],
  ]);
  expect(heard[0].detail).toMatchObject({
    bucket: { name: "lake" },
    object: { key: "raw/ä.json", size: 2 },
    reason: "PutObject",
  });
  s3.destroy();
  watch.destroy();
});

test("a target that fails is tried again; a scheduled rule fires at its rate; both outlive a restart", async () => {
  failures = 2;
  await rule("retried", { source: ["coalmine"] }, {});
  await put(entry({ n: 1 }));
  await clock.runUntil(START + 5000);
  expect(heard).toHaveLength(1);
  await bridge.send(new PutRuleCommand({ Name: "tick", ScheduleExpression: "rate(1 minute)" }));
  await bridge.send(new PutTargetsCommand({ Rule: "tick", Targets: [{ Id: "a", Arn: functionArn }] }));
  await clock.runUntil(START + 2 * 60_000 + 5000);
  expect(heard.slice(1).map((event) => event.time)).toEqual(["2026-11-23T08:01:05Z", "2026-11-23T08:02:05Z"]);
  await close();
  await open();
  await clock.runUntil(START + 3 * 60_000 + 5000);
  await put(entry({ n: 2 }));
  await clock.settle();
  expect(heard.slice(3).map((event) => event["detail-type"])).toEqual(["Scheduled Event", "Verdict"]);
});

test("a rule with a cron expression fires at its minutes, in UTC", async () => {
  const ScheduleExpression = "cron(15,45 8 ? * MON *)";
  await bridge.send(new PutRuleCommand({ Name: "clock", ScheduleExpression }));
  await bridge.send(new PutTargetsCommand({ Rule: "clock", Targets: [{ Id: "a", Arn: functionArn }] }));
  await clock.runUntil(START + 24 * 3600_000);
  expect(heard.map((event) => event.time)).toEqual(["2026-11-23T08:15:00Z", "2026-11-23T08:45:00Z"]);
});

test("rules are told, listed, disabled, emptied and deleted", async () => {
  await rule("a", { source: ["coalmine"] }, {});
  await bridge.send(
    new PutRuleCommand({ Name: "b", ScheduleExpression: "rate(5 minutes)", State: "DISABLED" }),
  );
  expect((await bridge.send(new ListRulesCommand({}))).Rules).toMatchObject([
    { Name: "a", State: "ENABLED", Arn: "arn:aws:events:us-east-1:123456789012:rule/a" },
    { Name: "b", State: "DISABLED", ScheduleExpression: "rate(5 minutes)" },
  ]);
  expect((await bridge.send(new ListRulesCommand({ NamePrefix: "b" }))).Rules).toHaveLength(1);
  expect((await bridge.send(new ListRuleNamesByTargetCommand({ TargetArn: functionArn }))).RuleNames).toEqual(
    ["a"],
  );
  await bridge.send(new DisableRuleCommand({ Name: "a" }));
  await put(entry({}));
  await clock.settle();
  expect(heard).toEqual([]);
  await expect(bridge.send(new DeleteRuleCommand({ Name: "a" }))).rejects.toThrow(/has targets/);
  await bridge.send(new RemoveTargetsCommand({ Rule: "a", Ids: ["0"] }));
  expect((await bridge.send(new ListTargetsByRuleCommand({ Rule: "a" }))).Targets).toEqual([]);
  await bridge.send(new DeleteRuleCommand({ Name: "a" }));
  await expect(bridge.send(new DescribeRuleCommand({ Name: "a" }))).rejects.toBeInstanceOf(
    ResourceNotFoundException,
  );
});

test("what is no rule or target is refused", async () => {
  await expect(rule("a", { source: "x" })).rejects.toBeInstanceOf(InvalidEventPatternException);
  await expect(bridge.send(new PutRuleCommand({ Name: "a" }))).rejects.toThrow(/must be specified/);
  for (const ScheduleExpression of ["cron(0 12 * * *)", "rate(1 minutes)", "rate(0 minutes)"])
    await expect(bridge.send(new PutRuleCommand({ Name: "a", ScheduleExpression }))).rejects.toThrow(
      /ScheduleExpression is not valid/,
    );
  await expect(rule("a", { source: ["x"] }, { Arn: "arn:aws:sqs:us-east-1:1:q" })).rejects.toThrow(
    /not simulated/,
  );
  await expect(rule("a", { source: ["x"] }, { Input: "{" })).rejects.toThrow(/JSON syntax/);
  await expect(rule("a", { source: ["x"] }, { Input: "1", InputPath: "$" })).rejects.toThrow(/Only one/);
  await expect(rule("a", { source: ["x"] }, ...Array.from({ length: 6 }, () => ({})))).rejects.toThrow(
    /5 targets/,
  );
  const other = new PutRuleCommand({ Name: "a", EventPattern: '{"source":["x"]}', EventBusName: "mine" });
  await expect(bridge.send(other)).rejects.toBeInstanceOf(ResourceNotFoundException);
  const Event = JSON.stringify({ source: "x" });
  expect(
    (await bridge.send(new TestEventPatternCommand({ EventPattern: '{"source":["x"]}', Event }))).Result,
  ).toBe(true);
});

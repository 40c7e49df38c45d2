import {
  CloudWatchClient,
  DeleteAlarmsCommand,
  DescribeAlarmHistoryCommand,
  DescribeAlarmsCommand,
  DisableAlarmActionsCommand,
  GetMetricDataCommand,
  GetMetricStatisticsCommand,
  InvalidParameterCombinationException,
  InvalidParameterValueException,
  ListMetricsCommand,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
  ResourceNotFound,
  SetAlarmStateCommand,
  type MetricDatum,
  type PutMetricAlarmCommandInput,
} from "@aws-sdk/client-cloudwatch";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { DrivenClock } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startTestCloud, type TestCloud } from "../protocol/test-cloud.ts";
import type { CloudEvent } from "../service.ts";
import { memoryStore } from "../store/memory-store.ts";
import type { Store } from "../store/store.ts";

const START = Date.UTC(2026, 10, 23, 8);
const MINUTE = 60_000;
let store: Store;
let clock: DrivenClock;
let cloud: TestCloud;
let watch: CloudWatchClient;
let called: unknown[];
let told: CloudEvent[];

beforeEach(async () => {
  clock = new DrivenClock(START, () => new Promise((done) => setImmediate(done)));
  store = memoryStore();
  called = [];
  await open();
});
afterEach(() => close());

async function open(): Promise<void> {
  cloud = await startTestCloud({
    clock,
    wallClock: systemClock,
    store,
    functions: { hear: (event) => called.push(event) },
  });
  watch = new CloudWatchClient(cloud.client);
  told = [];
  cloud.cloud.events.on((event) => told.push(event));
}
async function close(): Promise<void> {
  watch.destroy();
  await cloud.close();
}

const put = (Namespace: string, ...MetricData: MetricDatum[]) =>
  watch.send(new PutMetricDataCommand({ Namespace, MetricData }));
const at = (minutes: number) => new Date(START + minutes * MINUTE);
const statistics = (MetricName: string, Statistics: string[], more: object = {}) =>
  watch.send(
    new GetMetricStatisticsCommand({
      Namespace: "Coalmine",
      MetricName,
      StartTime: at(-60),
      EndTime: at(60),
      Period: 60,
      Statistics: Statistics as never,
      ...more,
    }),
  );
const functionArn = "arn:aws:lambda:us-east-1:123456789012:function:hear";
const alarm = (more: Partial<PutMetricAlarmCommandInput> = {}) =>
  watch.send(
    new PutMetricAlarmCommand({
      AlarmName: "late",
      Namespace: "Coalmine",
      MetricName: "Latency",
      Statistic: "Average",
      Period: 60,
      EvaluationPeriods: 2,
      Threshold: 100,
      ComparisonOperator: "GreaterThanThreshold",
      AlarmActions: [functionArn],
      ...more,
    }),
  );
const state = async (name = "late") => {
  const { MetricAlarms = [] } = await watch.send(new DescribeAlarmsCommand({ AlarmNames: [name] }));
  return MetricAlarms[0]?.StateValue;
};
const run = (minutes: number) => clock.runUntil(clock.now() + minutes * MINUTE);

test("values, lists of values and statistic sets of a minute become its statistics", async () => {
  await put(
    "Coalmine",
    { MetricName: "Latency", Unit: "Milliseconds", Value: 10, Timestamp: at(0.1) },
    { MetricName: "Latency", Unit: "Milliseconds", Values: [20, 30], Counts: [1, 2], Timestamp: at(0.9) },
    { MetricName: "Latency", Unit: "Milliseconds", Value: 99, Timestamp: at(1) },
    {
      MetricName: "Backlog",
      StatisticValues: { SampleCount: 4, Sum: 8, Minimum: 1, Maximum: 3 },
      Timestamp: at(0),
    },
  );
  const all = ["SampleCount", "Sum", "Average", "Minimum", "Maximum"];
  expect((await statistics("Latency", all)).Datapoints).toEqual([
    {
      Timestamp: at(0),
      SampleCount: 4,
      Sum: 90,
      Average: 22.5,
      Minimum: 10,
      Maximum: 30,
      Unit: "Milliseconds",
    },
    {
      Timestamp: at(1),
      SampleCount: 1,
      Sum: 99,
      Average: 99,
      Minimum: 99,
      Maximum: 99,
      Unit: "Milliseconds",
    },
  ]);
  expect(
    (await statistics("Latency", [], { Period: 300, ExtendedStatistics: ["p50", "p100"] })).Datapoints,
  ).toEqual([{ Timestamp: at(0), Unit: "Milliseconds", ExtendedStatistics: { p50: 30, p100: 99 } }]);
  expect((await statistics("Backlog", ["Average"])).Datapoints).toEqual([
    { Timestamp: at(0), Average: 2, Unit: "None" },
  ]);
  expect((await statistics("Latency", ["Sum"], { Unit: "Seconds" })).Datapoints).toEqual([]);
});

test("points of a second are seen by the second, and by the minute", async () => {
  await put(
    "Coalmine",
    { MetricName: "Rate", StorageResolution: 1, Value: 1, Timestamp: at(0) },
    { MetricName: "Rate", StorageResolution: 1, Value: 5, Timestamp: new Date(START + 12_000) },
  );
  const sums = async (Period: number) =>
    (await statistics("Rate", ["Sum"], { Period, StartTime: at(0), EndTime: at(1) })).Datapoints?.map(
      (one) => one.Sum,
    );
  expect(await sums(10)).toEqual([1, 5]);
  expect(await sums(60)).toEqual([6]);
});

test("metrics are listed by namespace, name and dimensions", async () => {
  const Dimensions = [{ Name: "cohort", Value: "canary" }];
  await put("Coalmine", { MetricName: "A", Value: 1, Dimensions }, { MetricName: "A", Value: 1 });
  await put("Other", { MetricName: "B", Value: 1 });
  const list = async (input: object) => (await watch.send(new ListMetricsCommand(input))).Metrics;
  expect(await list({ Namespace: "Coalmine", Dimensions: [{ Name: "cohort" }] })).toEqual([
    { Namespace: "Coalmine", MetricName: "A", Dimensions },
  ]);
  expect(await list({ MetricName: "A" })).toHaveLength(2);
  expect(await list({})).toHaveLength(3);
  await run(4 * 60);
  expect(await list({ RecentlyActive: "PT3H" })).toEqual([]);
});

test("GetMetricData answers metrics and arithmetic over them, in pages", async () => {
  for (const minute of [0, 1, 2]) {
    await put("Coalmine", { MetricName: "Errors", Value: minute, Timestamp: at(minute) });
    if (minute !== 1) await put("Coalmine", { MetricName: "Calls", Value: 10, Timestamp: at(minute) });
  }
  const stat = (MetricName: string) => ({
    Metric: { Namespace: "Coalmine", MetricName },
    Period: 60,
    Stat: "Sum",
  });
  const asked = {
    MetricDataQueries: [
      { Id: "rate", Expression: "100 * errors / (calls + 2 ^ 2 - 4)", Label: "error rate" },
      { Id: "errors", MetricStat: stat("Errors") },
      { Id: "calls", MetricStat: stat("Calls"), ReturnData: false },
    ],
    StartTime: at(0),
    EndTime: at(10),
    ScanBy: "TimestampAscending" as const,
  };
  const { MetricDataResults } = await watch.send(new GetMetricDataCommand(asked));
  expect(MetricDataResults).toMatchObject([
    { Id: "rate", Label: "error rate", Timestamps: [at(0), at(2)], Values: [0, 20], StatusCode: "Complete" },
    { Id: "errors", Label: "Errors", Timestamps: [at(0), at(1), at(2)], Values: [0, 1, 2] },
  ]);
  const first = await watch.send(new GetMetricDataCommand({ ...asked, MaxDatapoints: 3 }));
  const { NextToken } = first;
  const second = await watch.send(new GetMetricDataCommand({ ...asked, MaxDatapoints: 3, NextToken }));
  expect(
    [...(first.MetricDataResults ?? []), ...(second.MetricDataResults ?? [])].flatMap((one) => one.Values),
  ).toEqual([0, 20, 0, 1, 2]);
  for (const Expression of ["errors +", "SUM(METRICS())", "nosuch + 1", "rate"])
    await expect(
      watch.send(new GetMetricDataCommand({ ...asked, MetricDataQueries: [{ Id: "rate", Expression }] })),
    ).rejects.toBeInstanceOf(InvalidParameterValueException);
});

test("what CloudWatch does not take is refused, and nothing of the request is kept", async () => {
  const good = { MetricName: "A", Value: 1 };
  await expect(put("AWS/IoT", good)).rejects.toBeInstanceOf(InvalidParameterValueException);
  await expect(put("N", good, { MetricName: "A", Value: Number.NaN })).rejects.toThrow(/Value/);
  await expect(put("N", good, { ...good, Timestamp: at(-15 * 24 * 60) })).rejects.toThrow(/Timestamp/);
  await expect(put("N", good, { ...good, Values: [1] })).rejects.toBeInstanceOf(
    InvalidParameterCombinationException,
  );
  await expect(put("N", { MetricName: "A", Values: [1, 2], Counts: [1] })).rejects.toThrow(/same number/);
  const dimensions = Array.from({ length: 31 }, (_, n) => ({ Name: `d${n}`, Value: "v" }));
  await expect(put("N", good, { ...good, Dimensions: dimensions })).rejects.toThrow(/Dimensions/);
  await expect(statistics("A", ["Sum"], { Period: 60, StartTime: at(-10_000) })).rejects.toThrow(
    /exceeds the limit/,
  );
  await expect(statistics("A", ["Sum"], { Period: 61 })).rejects.toThrow(/Period/);
  expect((await watch.send(new ListMetricsCommand({}))).Metrics).toEqual([]);
});

test("points go after fifteen days", async () => {
  await put("Coalmine", { MetricName: "A", Value: 1 });
  await run(16 * 24 * 60);
  await put("Coalmine", { MetricName: "B", Value: 1 });
  expect((await watch.send(new ListMetricsCommand({}))).Metrics).toMatchObject([{ MetricName: "B" }]);
});

test("log lines of the embedded format become metrics", async () => {
  const logs = new CloudWatchLogsClient(cloud.client);
  const where = { logGroupName: "/emf", logStreamName: "s" };
  await logs.send(new CreateLogGroupCommand(where));
  await logs.send(new CreateLogStreamCommand(where));
  const line = (over: object) =>
    JSON.stringify({
      _aws: {
        Timestamp: START,
        CloudWatchMetrics: [
          {
            Namespace: "Coalmine",
            Dimensions: [["component", "version"], ["component"], ["nosuch"]],
            Metrics: [{ Name: "Latency", Unit: "Milliseconds" }, { Name: "Lost" }],
          },
        ],
      },
      component: "coalmine.Inference",
      version: "1.2.3",
      Latency: [12, 14],
      ...over,
    });
  await logs.send(
    new PutLogEventsCommand({
      ...where,
      logEvents: [line({}), line({ Latency: 16 }), line({ Latency: "slow" }), '{"_aws":1}', "plain"].map(
        (message) => ({
          timestamp: START,
          message,
        }),
      ),
    }),
  );
  logs.destroy();
  const Dimensions = [
    { Name: "component", Value: "coalmine.Inference" },
    { Name: "version", Value: "1.2.3" },
  ];
  expect((await statistics("Latency", ["Sum", "SampleCount"], { Dimensions })).Datapoints).toEqual([
    { Timestamp: at(0), Sum: 42, SampleCount: 3, Unit: "Milliseconds" },
  ]);
  const { Metrics = [] } = await watch.send(new ListMetricsCommand({ Namespace: "Coalmine" }));
  expect(new Set(Metrics.map((metric) => metric.Dimensions?.length))).toEqual(new Set([1, 2]));
});

test("an alarm goes over, tells its actions and EventBridge, and comes back", async () => {
  await alarm({ OKActions: [functionArn], AlarmDescription: "too slow" });
  expect(await state()).toBe("INSUFFICIENT_DATA");
  await put("Coalmine", { MetricName: "Latency", Value: 50 });
  await run(1);
  expect(await state()).toBe("OK");
  for (let minute = 0; minute < 2; minute++) {
    await put("Coalmine", { MetricName: "Latency", Value: 150 });
    await run(1);
  }
  expect(await state()).toBe("ALARM");
  await put("Coalmine", { MetricName: "Latency", Value: 50 });
  await run(1);
  expect(await state()).toBe("OK");
  expect(called).toMatchObject([
    {
      alarmData: { alarmName: "late", state: { value: "OK" }, previousState: { value: "INSUFFICIENT_DATA" } },
    },
    {
      alarmArn: "arn:aws:cloudwatch:us-east-1:123456789012:alarm:late",
      alarmData: { state: { value: "ALARM" } },
    },
    { alarmData: { state: { value: "OK" } } },
  ]);
  const events = told.filter((event) => event.kind === "aws-event");
  expect(events[1]).toMatchObject({
    source: "aws.cloudwatch",
    detailType: "CloudWatch Alarm State Change",
    detail: {
      alarmName: "late",
      state: { value: "ALARM", timestamp: "2026-11-23T08:03:00.000+0000" },
      previousState: { value: "OK" },
      configuration: {
        description: "too slow",
        metrics: [
          { metricStat: { metric: { namespace: "Coalmine", name: "Latency" }, period: 60, stat: "Average" } },
        ],
      },
    },
  });
  const { AlarmHistoryItems } = await watch.send(new DescribeAlarmHistoryCommand({ AlarmName: "late" }));
  expect(AlarmHistoryItems?.map((item) => item.HistorySummary)).toEqual([
    "Alarm updated from ALARM to OK",
    "Alarm updated from OK to ALARM",
    "Alarm updated from INSUFFICIENT_DATA to OK",
  ]);
});

test("an alarm without data says so, or what it was told to take missing data for", async () => {
  await alarm();
  await alarm({ AlarmName: "dead", TreatMissingData: "breaching" });
  await put("Coalmine", { MetricName: "Latency", Value: 50 });
  await run(1);
  expect([await state(), await state("dead")]).toEqual(["OK", "OK"]);
  await run(10);
  expect([await state(), await state("dead")]).toEqual(["INSUFFICIENT_DATA", "ALARM"]);
});

test("an alarm over metric math, each ten seconds where its period is short", async () => {
  const stat = (MetricName: string) => ({ Metric: { Namespace: "C", MetricName }, Period: 10, Stat: "Sum" });
  await watch.send(
    new PutMetricAlarmCommand({
      AlarmName: "ratio",
      EvaluationPeriods: 1,
      Threshold: 0.5,
      ComparisonOperator: "GreaterThanOrEqualToThreshold",
      Metrics: [
        { Id: "ratio", Expression: "bad / all", ReturnData: true },
        { Id: "bad", MetricStat: stat("Bad"), ReturnData: false },
        { Id: "all", MetricStat: stat("All"), ReturnData: false },
      ],
    }),
  );
  const StorageResolution = 1;
  await put(
    "C",
    { MetricName: "Bad", Value: 1, StorageResolution },
    { MetricName: "All", Value: 2, StorageResolution },
  );
  await clock.runUntil(START + 10_000);
  expect(await state("ratio")).toBe("ALARM");
});

test("SetAlarmState holds until the next evaluation; disabled actions are not taken; deleting is all or none", async () => {
  await alarm();
  const set = (StateValue: "OK" | "ALARM") =>
    watch.send(new SetAlarmStateCommand({ AlarmName: "late", StateValue, StateReason: "a test" }));
  await set("ALARM");
  await clock.settle();
  expect(await state()).toBe("ALARM");
  expect(called).toHaveLength(1);
  await run(1);
  expect(await state()).toBe("INSUFFICIENT_DATA");
  await watch.send(new DisableAlarmActionsCommand({ AlarmNames: ["late"] }));
  await set("ALARM");
  await clock.settle();
  expect(called).toHaveLength(1);
  const gone = watch.send(new DeleteAlarmsCommand({ AlarmNames: ["late", "nosuch"] }));
  await expect(gone).rejects.toBeInstanceOf(ResourceNotFound);
  expect(await state()).toBe("ALARM");
  await watch.send(new DeleteAlarmsCommand({ AlarmNames: ["late"] }));
  expect(await state()).toBeUndefined();
});

test("an alarm that cannot be evaluated is refused", async () => {
  await expect(alarm({ ComparisonOperator: "LessThanLowerThreshold" })).rejects.toThrow(/not simulated/);
  await expect(alarm({ DatapointsToAlarm: 3 })).rejects.toBeInstanceOf(InvalidParameterCombinationException);
  await expect(alarm({ Period: 3600, EvaluationPeriods: 25 })).rejects.toThrow(/more than a day/);
  await expect(alarm({ Statistic: undefined })).rejects.toThrow(/Statistic is required/);
});

test("metrics and alarms are there after a restart, and go on being evaluated", async () => {
  await alarm({ EvaluationPeriods: 1 });
  await put("Coalmine", { MetricName: "Latency", Value: 500 });
  await close();
  await open();
  await run(1);
  expect(await state()).toBe("ALARM");
});

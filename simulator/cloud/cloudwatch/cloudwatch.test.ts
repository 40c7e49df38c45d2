import {
  GetMetricDataCommand,
  InvalidParameterCombinationException,
  InvalidParameterValueException,
  ListMetricsCommand,
} from "@aws-sdk/client-cloudwatch";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { expect, test } from "vitest";
import { aCloudForEachTest, START, cloud, watch, put, at, statistics, run } from "./cloudwatch-rig.ts";

aCloudForEachTest();

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
  const all = ["SampleCount", "Sum", "Average", "Minimum", "Maximum"] as const;
  expect((await statistics("Latency", [...all])).Datapoints).toEqual([
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

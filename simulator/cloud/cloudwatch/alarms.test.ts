import {
  DeleteAlarmsCommand,
  DescribeAlarmHistoryCommand,
  DisableAlarmActionsCommand,
  InvalidParameterCombinationException,
  PutMetricAlarmCommand,
  ResourceNotFound,
  SetAlarmStateCommand,
} from "@aws-sdk/client-cloudwatch";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { expect, test } from "vitest";
import type { Input } from "../service.ts";
import {
  aCloudForEachTest,
  START,
  clock,
  cloud,
  watch,
  called,
  told,
  restart,
  put,
  functionArn,
  alarm,
  state,
  run,
} from "./cloudwatch-rig.ts";

aCloudForEachTest();

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

test("an alarm tells an SNS topic", async () => {
  const sns = new SNSClient(cloud.client);
  const { TopicArn = "" } = await sns.send(new CreateTopicCommand({ Name: "alarms" }));
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: "lambda", Endpoint: functionArn }));
  sns.destroy();
  await alarm({ AlarmName: "zäh", AlarmActions: [TopicArn], EvaluationPeriods: 1 });
  await put("Coalmine", { MetricName: "Latency", Value: 150 });
  await run(1);
  const [told]: Input[] = called;
  expect(told.Records[0].Sns.Subject).toBe('ALARM: "z?h" in us-east-1');
  expect(JSON.parse(told.Records[0].Sns.Message)).toMatchObject({
    AlarmName: "zäh",
    NewStateValue: "ALARM",
    OldStateValue: "INSUFFICIENT_DATA",
    Trigger: { MetricName: "Latency", Threshold: 100 },
  });
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
  await restart();
  await run(1);
  expect(await state()).toBe("ALARM");
});

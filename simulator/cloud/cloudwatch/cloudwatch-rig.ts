import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  GetMetricStatisticsCommand,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
  type MetricDatum,
  type Statistic,
  type PutMetricAlarmCommandInput,
} from "@aws-sdk/client-cloudwatch";
import { DrivenClock } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterEach, beforeEach } from "vitest";
import { startTestCloud, type TestCloud } from "../protocol/test-cloud.ts";
import type { CloudEvent } from "../service.ts";
import { memoryStore } from "../store/memory-store.ts";
import type { Store } from "../store/store.ts";

/** What a test finds of its cloud: its client, its function, its clock. */
export const START = Date.UTC(2026, 10, 23, 8);
export const MINUTE = 60_000;
let store: Store;
export let clock: DrivenClock;
export let cloud: TestCloud;
export let watch: CloudWatchClient;
export let called: unknown[];
export let told: CloudEvent[];

/** Called by each test file: a module that several share is run once. */
export function aCloudForEachTest(): void {
  beforeEach(async () => {
    clock = new DrivenClock(START, () => new Promise((done) => setImmediate(done)));
    store = memoryStore();
    called = [];
    await open();
  });
  afterEach(() => close());
}

/** Another process on the same state. */
export async function restart(): Promise<void> {
  await close();
  await open();
}

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

export const put = (Namespace: string, ...MetricData: MetricDatum[]) =>
  watch.send(new PutMetricDataCommand({ Namespace, MetricData }));
export const at = (minutes: number) => new Date(START + minutes * MINUTE);
export const statistics = (MetricName: string, Statistics: Statistic[], more: object = {}) =>
  watch.send(
    new GetMetricStatisticsCommand({
      Namespace: "Coalmine",
      MetricName,
      StartTime: at(-60),
      EndTime: at(60),
      Period: 60,
      ...(Statistics.length === 0 ? {} : { Statistics }),
      ...more,
    }),
  );
export const functionArn = "arn:aws:lambda:us-east-1:123456789012:function:hear";
export const alarm = (more: Partial<PutMetricAlarmCommandInput> = {}) =>
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
export const state = async (name = "late") => {
  const { MetricAlarms = [] } = await watch.send(new DescribeAlarmsCommand({ AlarmNames: [name] }));
  return MetricAlarms[0]?.StateValue;
};
export const run = (minutes: number) => clock.runUntil(clock.now() + minutes * MINUTE);

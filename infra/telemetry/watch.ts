import { CfnAlarm, CfnDashboard } from "aws-cdk-lib/aws-cloudwatch";
import type { Construct } from "constructs";
import { Stack } from "aws-cdk-lib/core";
import { names } from "../identity/identity.ts";
import { arn } from "../policies/statement.ts";
import { type AlarmSpec, pageOf } from "./alarms.ts";

/** Alarms that tell the region's topic, and say what to do. */
export function addAlarms(scope: Construct, specs: readonly AlarmSpec[]): void {
  const { region, account, partition } = Stack.of(scope);
  const topic = arn({ region, accountId: account, partition }, "sns", names.alertTopic);
  for (const spec of specs)
    new CfnAlarm(scope, spec.name, {
      alarmName: spec.name,
      alarmDescription: `${spec.says} What to do: ${pageOf(spec)}`,
      namespace: spec.namespace,
      metricName: spec.metric,
      dimensions: Object.entries(spec.dimensions ?? {}).map(([name, value]) => ({ name, value })),
      ...(spec.statistic === "p90" ? { extendedStatistic: "p90" } : { statistic: spec.statistic }),
      comparisonOperator: spec.when === "above" ? "GreaterThanThreshold" : "LessThanThreshold",
      threshold: spec.threshold,
      period: spec.periodSeconds,
      evaluationPeriods: spec.periods,
      treatMissingData: spec.silence,
      alarmActions: [topic],
      okActions: [topic],
    });
}

/** A widget's rows are six units high, the dashboard 24 wide. */
const HEIGHT = 6;
const WIDTH = 12;

export interface Graph {
  readonly title: string;
  /** CloudWatch's search expressions or metric rows. */
  readonly metrics: readonly (readonly unknown[])[];
  readonly statistic: string;
}

/** Two graphs a row; below them what to do when one of the alarms goes off. */
export function addDashboard(
  scope: Construct,
  name: string,
  graphs: readonly Graph[],
  alarms: readonly AlarmSpec[],
): void {
  const { region } = Stack.of(scope);
  new CfnDashboard(scope, "Dashboard", {
    dashboardName: name,
    dashboardBody: JSON.stringify({
      widgets: [
        ...graphs.map(({ title, metrics, statistic }, index) => ({
          type: "metric",
          x: (index % 2) * WIDTH,
          y: Math.floor(index / 2) * HEIGHT,
          width: WIDTH,
          height: HEIGHT,
          properties: { title, region, view: "timeSeries", stat: statistic, period: 60, metrics },
        })),
        {
          type: "text",
          x: 0,
          y: Math.ceil(graphs.length / 2) * HEIGHT,
          width: 2 * WIDTH,
          height: HEIGHT,
          properties: {
            markdown: alarms.map((alarm) => `- **${alarm.name}** ${alarm.says} ${pageOf(alarm)}`).join("\n"),
          },
        },
      ],
    }),
  });
}

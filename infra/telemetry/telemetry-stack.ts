import { RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib/core";
import { AttributeType, BillingMode, Table } from "aws-cdk-lib/aws-dynamodb";
import { ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { CfnTopicRule } from "aws-cdk-lib/aws-iot";
import type { Construct } from "constructs";
import { EVIDENCE_STREAM } from "../../pipeline/evidence/evidence-lake.ts";
import { EVIDENCE_TABLE } from "../../pipeline/evidence/evidence-store.ts";
import { CoalmineFunction } from "../functions/coalmine-function.ts";
import { EVIDENCE_FUNCTION, evidenceRules } from "../handlers/evidence/evidence.ts";
import { FLEET_NAMESPACE } from "../handlers/evidence/fleet-metrics.ts";
import { allow, arn } from "../policies/statement.ts";
import { fleetAlarms } from "./alarms.ts";
import { addAlarms, addDashboard, type Graph } from "./watch.ts";

export interface TelemetryStackProps extends StackProps {
  readonly code: string;
  /** The target's name in rows of evidence. */
  readonly target: string;
}

/** What is seen of a region's devices: rows of evidence for the judge, metrics for people, alarms. */
export class TelemetryStack extends Stack {
  constructor(scope: Construct, id: string, props: TelemetryStackProps) {
    super(scope, id, props);
    const { code, target } = props;
    new Table(this, "Evidence", {
      tableName: EVIDENCE_TABLE,
      partitionKey: { name: "minute", type: AttributeType.STRING },
      sortKey: { name: "thing", type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: "expires",
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const place = { region: this.region, accountId: this.account, partition: this.partition };
    const { function: evidence } = new CoalmineFunction(this, "Keep", {
      functionName: EVIDENCE_FUNCTION,
      description: "Makes evidence of heartbeats, connections and job executions",
      code,
      program: "evidence",
      handler: "evidence",
      timeoutSeconds: 30,
      memoryMiB: 512,
      environment: { COALMINE_TARGET: target },
      may: [
        allow(["dynamodb:PutItem"], arn(place, "dynamodb", `table/${EVIDENCE_TABLE}`)),
        allow(["firehose:PutRecord"], arn(place, "firehose", `deliverystream/${EVIDENCE_STREAM}`)),
      ],
    });
    for (const [ruleName, sql] of Object.entries(evidenceRules)) {
      const rule = new CfnTopicRule(this, ruleName, {
        ruleName,
        topicRulePayload: {
          sql,
          awsIotSqlVersion: "2016-03-23",
          actions: [{ lambda: { functionArn: evidence.functionArn } }],
        },
      });
      evidence.addPermission(ruleName, {
        principal: new ServicePrincipal("iot.amazonaws.com"),
        sourceArn: rule.attrArn,
      });
    }
    addAlarms(this, fleetAlarms);
    addDashboard(this, "Coalmine-fleet", fleetGraphs, fleetAlarms);
  }
}

const byVersion = (metric: string, statistic: string): readonly (readonly unknown[])[] => [
  [
    {
      expression: `SEARCH('{${FLEET_NAMESPACE},component,version} MetricName="${metric}"', '${statistic}', 60)`,
    },
  ],
];

const fleetGraphs: readonly Graph[] = [
  {
    title: "Components heard of each minute, by version",
    metrics: byVersion("heard", "Sum"),
    statistic: "Sum",
  },
  {
    title: "Age of what was last heard of a component",
    metrics: byVersion("ageMs", "p90"),
    statistic: "p90",
  },
  {
    title: "Age of the oldest point that is not in the lake",
    metrics: byVersion("oldestAgeMs", "p90"),
    statistic: "p90",
  },
  {
    title: "Readings that nobody has acknowledged",
    metrics: byVersion("unacknowledged", "Sum"),
    statistic: "Sum",
  },
];

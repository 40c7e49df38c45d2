import { RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib/core";
import { AttributeType, BillingMode, Table } from "aws-cdk-lib/aws-dynamodb";
import { CfnRule } from "aws-cdk-lib/aws-events";
import { ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import { ROLLOUTS_TABLE } from "../../pipeline/controller/rollout-log.ts";
import { PIPELINE_NAME } from "../../pipeline/definition.ts";
import { SIGNERS_VARIABLE } from "../../pipeline/supply/signers.ts";
import type { Target } from "../../pipeline/target.ts";
import { CoalmineFunction } from "../functions/coalmine-function.ts";
import { CONTROLLER_FUNCTION, PASS_METRIC, ROLLOUT_NAMESPACE } from "../handlers/controller/passes.ts";
import { names } from "../identity/identity.ts";
import { arn } from "../policies/statement.ts";
import { rolloutAlarms } from "../telemetry/alarms.ts";
import { addAlarms, addDashboard } from "../telemetry/watch.ts";
import { CommandPolicies } from "./command-policies.ts";
import { controllerMay } from "./may.ts";

/** The passes of one invocation end before the next one begins. */
const TIMEOUT_SECONDS = 120;

/** When the controller looks: each minute, and as soon as something may have happened. */
const hints = {
  EachMinute: { scheduleExpression: "rate(1 minute)" },
  OnApproval: {
    eventPattern: {
      source: ["aws.codepipeline"],
      "detail-type": ["CodePipeline Action Execution State Change"],
      detail: { pipeline: [PIPELINE_NAME], type: { category: ["Approval"] } },
    },
  },
  OnDeployment: {
    eventPattern: {
      source: ["aws.greengrass"],
      "detail-type": ["Greengrass V2 Effective Deployment Status Change"],
    },
  },
} as const;

export interface RolloutStackProps extends StackProps {
  readonly code: string;
  readonly targets: readonly Target[];
  /** Whose signature a release needs, as the controller reads it. */
  readonly signers?: string | undefined;
}

/** The one owner of rollouts: their events, and who decides by them. */
export class RolloutStack extends Stack {
  constructor(scope: Construct, id: string, props: RolloutStackProps) {
    super(scope, id, props);
    const { code, targets, signers } = props;
    const { region: home, account: accountId, partition } = this;
    new Table(this, "Rollouts", {
      tableName: ROLLOUTS_TABLE,
      partitionKey: { name: "rollout", type: AttributeType.STRING },
      sortKey: { name: "sequence", type: AttributeType.NUMBER },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const { function: controller } = new CoalmineFunction(this, "Controller", {
      functionName: CONTROLLER_FUNCTION,
      description: "Moves rollouts on, halts them and rolls them back",
      code,
      program: "controller",
      handler: "passes",
      timeoutSeconds: TIMEOUT_SECONDS,
      memoryMiB: 2048,
      environment: {
        COALMINE_TARGETS: JSON.stringify(targets),
        COALMINE_ACCOUNT: accountId,
        NOTICE_TOPIC: arn({ region: home, accountId, partition }, "sns", names.alertTopic),
        ...(signers === undefined ? {} : { [SIGNERS_VARIABLE]: signers }),
      },
      may: controllerMay({ partition, accountId, home, targets }),
    });
    new CommandPolicies(this, "Command", { partition, accountId, home, targets });
    for (const [name, when] of Object.entries(hints)) {
      const rule = new CfnRule(this, name, {
        ...when,
        targets: [{ id: "controller", arn: controller.functionArn }],
      });
      controller.addPermission(name, {
        principal: new ServicePrincipal("events.amazonaws.com"),
        sourceArn: rule.attrArn,
      });
    }
    addAlarms(this, rolloutAlarms);
    addDashboard(
      this,
      "Coalmine-rollout",
      [
        { title: "Passes of the controller", metrics: [[ROLLOUT_NAMESPACE, PASS_METRIC]], statistic: "Sum" },
        {
          title: "How long an invocation takes",
          metrics: [["AWS/Lambda", "Duration", "FunctionName", CONTROLLER_FUNCTION]],
          statistic: "p90",
        },
      ],
      rolloutAlarms,
    );
  }
}

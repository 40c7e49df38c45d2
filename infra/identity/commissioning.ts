import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CfnOutput, Duration, RemovalPolicy, Stack } from "aws-cdk-lib/core";
import { HttpApi, HttpMethod, HttpStage } from "aws-cdk-lib/aws-apigatewayv2";
import { HttpLambdaIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import { CfnAlarm } from "aws-cdk-lib/aws-cloudwatch";
import { AttributeType, BillingMode, Table } from "aws-cdk-lib/aws-dynamodb";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { CfnTopicRule } from "aws-cdk-lib/aws-iot";
import { Architecture, Code, Function as Lambda, Runtime } from "aws-cdk-lib/aws-lambda";
import { Topic } from "aws-cdk-lib/aws-sns";
import { claimPaths } from "@coalmine/contract/commissioning";
import { Construct } from "constructs";
import { buildSync } from "esbuild";
import { COMMISSIONING_TABLE } from "../../api/claims/claim-cloud.ts";
import { replayMetric } from "../../api/claims/replay-metric.ts";
import { functionNames } from "./functions.ts";
import { names, recordRule, replayAlarm } from "./identity.ts";

/** Answers the hook within AWS IoT's 5 s, cold start included. */
const MEMORY_MIB = 1024;
/** Requests a second to the exchange, from everywhere together. */
const RATE_MAX = 20;

/** Where codes are exchanged, who is let in, and what is kept of a commissioning. */
export class Commissioning extends Construct {
  readonly hookArn: string;

  constructor(scope: Construct, id: string, props: { readonly reportBucket: string }) {
    super(scope, id);
    const { partition, region, account } = Stack.of(this);
    const arn = (resource: string): string => `arn:${partition}:iot:${region}:${account}:${resource}`;
    const table = new Table(this, "Table", {
      tableName: COMMISSIONING_TABLE,
      partitionKey: { name: "item", type: AttributeType.STRING },
      sortKey: { name: "sort", type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: "expires",
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const bundled = bundle();
    const code = Code.fromAsset(bundled);
    const lambda = (name: keyof typeof functionNames, ...statements: PolicyStatement[]): Lambda => {
      const made = new Lambda(this, name, {
        functionName: functionNames[name],
        runtime: Runtime.NODEJS_24_X,
        architecture: Architecture.ARM_64,
        code,
        handler: `index.${name}`,
        memorySize: MEMORY_MIB,
        timeout: Duration.seconds(10),
        environment: { REPORT_BUCKET: props.reportBucket },
      });
      table.grantReadWriteData(made);
      for (const statement of statements) made.addToRolePolicy(statement);
      return made;
    };
    const certificates = new PolicyStatement({
      actions: ["iot:DescribeCertificate"],
      resources: [arn("cert/*")],
    });

    const claims = lambda(
      "claims",
      certificates,
      new PolicyStatement({
        actions: ["iot:CreateProvisioningClaim"],
        resources: [arn(`provisioningtemplate/${names.provisioningTemplate}`)],
      }),
      new PolicyStatement({
        actions: ["cloudwatch:PutMetricData"],
        // CloudWatch knows no narrower resource.
        resources: ["*"],
        conditions: { StringEquals: { "cloudwatch:namespace": replayMetric.Namespace } },
      }),
    );
    const api = new HttpApi(this, "Api", { createDefaultStage: false });
    for (const path of Object.values(claimPaths))
      api.addRoutes({
        path,
        methods: [HttpMethod.POST],
        integration: new HttpLambdaIntegration("Claims", claims),
      });
    new HttpStage(this, "Stage", {
      httpApi: api,
      stageName: "$default",
      autoDeploy: true,
      throttle: { rateLimit: RATE_MAX, burstLimit: 2 * RATE_MAX },
    });
    new CfnOutput(this, "ClaimEndpoint", { value: api.apiEndpoint });

    const allowList = lambda(
      "allowList",
      certificates,
      new PolicyStatement({ actions: ["iot:ListThingPrincipals"], resources: [arn("thing/*")] }),
    );
    allowList.addPermission("Hook", { principal: new ServicePrincipal("iot.amazonaws.com") });
    this.hookArn = allowList.functionArn;

    const record = lambda(
      "record",
      new PolicyStatement({
        actions: ["s3:PutObject"],
        resources: [`arn:${partition}:s3:::${props.reportBucket}/commissioning/*`],
      }),
    );
    const rule = new CfnTopicRule(this, "RecordRule", {
      ruleName: names.recordRule,
      topicRulePayload: recordRule(record.functionArn),
    });
    record.addPermission("Rule", {
      principal: new ServicePrincipal("iot.amazonaws.com"),
      sourceArn: rule.attrArn,
    });

    const alerts = new Topic(this, "Alerts", { topicName: names.alertTopic, enforceSSL: true });
    const alarm = replayAlarm([alerts.topicArn]);
    new CfnAlarm(this, "Replayed", {
      alarmName: alarm.AlarmName,
      alarmDescription: alarm.AlarmDescription,
      namespace: alarm.Namespace,
      metricName: alarm.MetricName,
      statistic: alarm.Statistic,
      period: alarm.Period,
      evaluationPeriods: alarm.EvaluationPeriods,
      threshold: alarm.Threshold,
      comparisonOperator: alarm.ComparisonOperator,
      treatMissingData: alarm.TreatMissingData,
      alarmActions: [alerts.topicArn],
    });
    // Each function has taken its copy.
    rmSync(bundled, { recursive: true });
  }
}

/** One file for the three functions; the runtime brings the AWS SDK. Gives its folder. */
function bundle(): string {
  const folder = mkdtempSync(join(tmpdir(), "coalmine-lambda-"));
  buildSync({
    entryPoints: [join(import.meta.dirname, "lambda-main.ts")],
    outfile: join(folder, "index.mjs"),
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node24",
    external: ["@aws-sdk/*"],
    logLevel: "error",
  });
  return folder;
}

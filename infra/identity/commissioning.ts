import { CfnOutput, RemovalPolicy, Stack } from "aws-cdk-lib/core";
import { HttpMethod } from "aws-cdk-lib/aws-apigatewayv2";
import { HttpLambdaIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import { CfnAlarm } from "aws-cdk-lib/aws-cloudwatch";
import { AttributeType, BillingMode, Table } from "aws-cdk-lib/aws-dynamodb";
import { ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { CfnTopicRule } from "aws-cdk-lib/aws-iot";
import type { Key } from "aws-cdk-lib/aws-kms";
import type { Function as Lambda } from "aws-cdk-lib/aws-lambda";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import { claimPaths } from "@coalmine/contract/commissioning";
import { Construct } from "constructs";
import { COMMISSIONING_TABLE } from "../../api/claims/claim-cloud.ts";
import { CoalmineFunction } from "../functions/coalmine-function.ts";
import { openHttpApi } from "../functions/http-api.ts";
import { functionNames } from "./functions.ts";
import { certificateRule, names, recordRule, replayAlarm } from "./identity.ts";
import { commissioningMay } from "./may.ts";

/** The hook has 5 s at AWS IoT, cold start included. */
const TIMEOUT_SECONDS = 10;
/** Requests a second to the exchange, from everywhere together. */
const RATE_MAX = 20;
const descriptions: Readonly<Record<keyof typeof functionNames, string>> = {
  claims: "Exchanges one-time codes for claims",
  allowList: "Says who becomes a device",
  record: "Keeps reports of commissioning",
  certificates: "Rotates the certificates of devices",
};

/** Where codes are exchanged, who is let in, what is kept of a commissioning, and how certificates change. */
export class Commissioning extends Construct {
  readonly hookArn: string;

  constructor(
    scope: Construct,
    id: string,
    props: {
      readonly code: string;
      readonly key: Key;
      readonly reportBucket: string;
      readonly alertEmail?: string | undefined;
    },
  ) {
    super(scope, id);
    const { code, key, reportBucket, alertEmail } = props;
    const { partition, region, account } = Stack.of(this);
    const may = commissioningMay({ partition, region, accountId: account }, reportBucket);
    new Table(this, "Table", {
      tableName: COMMISSIONING_TABLE,
      partitionKey: { name: "item", type: AttributeType.STRING },
      sortKey: { name: "sort", type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: "expires",
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const made = (name: keyof typeof functionNames): Lambda =>
      new CoalmineFunction(this, name, {
        functionName: functionNames[name],
        description: descriptions[name],
        code,
        program: "commissioning",
        handler: name,
        timeoutSeconds: TIMEOUT_SECONDS,
        environment: { REPORT_BUCKET: reportBucket },
        may: may[name],
      }).function;

    // Whoever exchanges a code has nothing else to show yet.
    const { api } = openHttpApi(this, "Api", { ratePerSecondMax: RATE_MAX });
    const integration = new HttpLambdaIntegration("Claims", made("claims"));
    for (const path of Object.values(claimPaths))
      api.addRoutes({ path, methods: [HttpMethod.POST], integration });
    new CfnOutput(this, "ClaimEndpoint", { value: api.apiEndpoint });

    const allowList = made("allowList");
    allowList.addPermission("Hook", {
      principal: new ServicePrincipal("iot.amazonaws.com"),
      sourceAccount: account,
    });
    this.hookArn = allowList.functionArn;
    this.#byRule("RecordRule", names.recordRule, made("record"), recordRule);
    this.#byRule("CertificateRule", names.certificateRule, made("certificates"), certificateRule);

    const alerts = new Topic(this, "Alerts", {
      topicName: names.alertTopic,
      enforceSSL: true,
      masterKey: key,
    });
    if (alertEmail !== undefined) alerts.addSubscription(new EmailSubscription(alertEmail));
    for (const service of ["cloudwatch.amazonaws.com", "codestar-notifications.amazonaws.com"])
      alerts.grantPublish(new ServicePrincipal(service));
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
  }

  #byRule(id: string, ruleName: string, called: Lambda, payload: (functionArn: string) => object): void {
    const rule = new CfnTopicRule(this, id, {
      ruleName,
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the very words of CreateTopicRule.
      topicRulePayload: payload(called.functionArn) as CfnTopicRule.TopicRulePayloadProperty,
    });
    called.addPermission("Rule", {
      principal: new ServicePrincipal("iot.amazonaws.com"),
      sourceArn: rule.attrArn,
    });
  }
}

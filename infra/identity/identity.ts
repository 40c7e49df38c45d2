import {
  certificateAnswerTopic,
  certificateTopic,
  commissioningTopic,
} from "@coalmine/contract/commissioning";
import { replayMetric } from "../../api/claims/replay-metric.ts";
import { arn, bucketArn, byKey, type Place, type PolicyDocument } from "../policies/statement.ts";

/**
 * Who a device is and what it may do, as data: the identity stack is made of it, and the local cloud is set up with it.
 * @see https://docs.aws.amazon.com/greengrass/v2/developerguide/device-auth.html
 */
export const names = {
  devicePolicy: "CoalmineDevice",
  provisioningTemplate: "CoalmineDevice",
  tokenExchangeRole: "CoalmineTokenExchange",
  roleAlias: "CoalmineTokenExchange",
  /** Every device of the fleet. The canary group's members are drawn anew for each rollout. */
  fleetGroup: "coalmine-fleet",
  mainGroup: "coalmine-main",
  canaryGroup: "coalmine-canary",
  /** Who hears that a claim code was shown again. */
  alertTopic: "coalmine-alerts",
  replayAlarm: "CoalmineClaimReplayed",
  recordRule: "coalmine_commissioning",
  certificateRule: "coalmine_certificate",
  /** Of Firehose, for devices that send points as they come. */
  measurementStream: "coalmine-measurements",
} as const;

const thing = "${iot:Connection.Thing.ThingName}";

/** What a core device may do with its certificate. */
export function devicePolicy(place: Place): PolicyDocument {
  const iot = (resource: string): string => arn(place, "iot", resource);
  const reserved = [`$aws/things/${thing}/jobs/*`, `$aws/things/${thing}/shadow/*`];
  const sent = [
    `$aws/things/${thing}/greengrassv2/health/json`,
    `$aws/things/${thing}/greengrass/health/json`,
    `coalmine/${thing}/*`,
  ];
  const heard = [...reserved, certificateAnswerTopic(thing)];
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: ["iot:Connect"],
        Resource: [iot(`client/${thing}`), iot(`client/${thing}#*`)],
      },
      {
        Effect: "Allow",
        Action: ["iot:Publish"],
        Resource: [...reserved, ...sent].map((topic) => iot(`topic/${topic}`)),
      },
      { Effect: "Allow", Action: ["iot:Receive"], Resource: heard.map((topic) => iot(`topic/${topic}`)) },
      {
        Effect: "Allow",
        Action: ["iot:Subscribe"],
        Resource: heard.map((topic) => iot(`topicfilter/${topic}`)),
      },
      {
        Effect: "Allow",
        Action: ["iot:AssumeRoleWithCertificate"],
        Resource: [iot(`rolealias/${names.roleAlias}`)],
      },
      {
        // Thing variables are not resolved for these, and the service offers no narrower resource.
        Effect: "Allow",
        Action: [
          "greengrass:GetComponentVersionArtifact",
          "greengrass:ResolveComponentCandidates",
          "greengrass:GetDeploymentConfiguration",
          "greengrass:ListThingGroupsForCoreDevice",
        ],
        Resource: ["*"],
      },
    ],
  };
}

/** Goes over in the minute in which a claim code was shown again. */
export function replayAlarm(actions: readonly string[]) {
  return {
    AlarmName: names.replayAlarm,
    AlarmDescription:
      "A claim code was shown again: somebody has a copy of it. The device's history names the code.",
    ...replayMetric,
    Statistic: "Sum",
    Period: 60,
    EvaluationPeriods: 1,
    Threshold: 1,
    ComparisonOperator: "GreaterThanOrEqualToThreshold",
    TreatMissingData: "notBreaching",
    AlarmActions: [...actions],
  } as const;
}

/** Reports go to the function that keeps them; whose they are is said by the topic, which a device's policy fixes. */
export function recordRule(functionArn: string) {
  return {
    sql: `SELECT *, topic(2) AS thing FROM '${commissioningTopic("+")}'`,
    awsIotSqlVersion: "2016-03-23",
    actions: [{ lambda: { functionArn } }],
  };
}

/** A device that changes its certificate; by which one it asks is said by its connection. */
export function certificateRule(functionArn: string) {
  return {
    sql: `SELECT *, topic(2) AS thing, principal() AS principal FROM '${certificateTopic("+")}'`,
    awsIotSqlVersion: "2016-03-23",
    actions: [{ lambda: { functionArn } }],
  };
}

/** Makes of a claim and its parameters a thing with a certificate, in the fleet's groups. */
export function provisioningTemplate(): object {
  return {
    Parameters: {
      SerialNumber: { Type: "String" },
      Site: { Type: "String", Default: "unknown" },
      HardwareId: { Type: "String", Default: "unknown" },
      "AWS::IoT::Certificate::Id": { Type: "String" },
    },
    Resources: {
      thing: {
        Type: "AWS::IoT::Thing",
        OverrideSettings: { AttributePayload: "MERGE", ThingGroups: "DO_NOTHING", ThingTypeName: "REPLACE" },
        Properties: {
          ThingName: { Ref: "SerialNumber" },
          AttributePayload: { site: { Ref: "Site" }, hardwareId: { Ref: "HardwareId" } },
          ThingGroups: [names.fleetGroup, names.mainGroup],
        },
      },
      certificate: {
        Type: "AWS::IoT::Certificate",
        Properties: { CertificateId: { Ref: "AWS::IoT::Certificate::Id" }, Status: "Active" },
      },
      policy: { Type: "AWS::IoT::Policy", Properties: { PolicyName: names.devicePolicy } },
    },
  };
}

/** What AWS IoT may do for the provisioning template. */
export function registrarPolicy(place: Place): PolicyDocument {
  const iot = (resource: string): string => arn(place, "iot", resource);
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: [
          "iot:CreateThing",
          "iot:DescribeThing",
          "iot:UpdateThing",
          "iot:ListThingGroupsForThing",
          "iot:AddThingToThingGroup",
        ],
        Resource: [iot("thing/*"), iot("thinggroup/coalmine-*")],
      },
      {
        Effect: "Allow",
        Action: [
          "iot:AttachPolicy",
          "iot:AttachThingPrincipal",
          "iot:DescribeCertificate",
          "iot:UpdateCertificate",
          "iot:RegisterCertificate",
        ],
        Resource: [iot("cert/*"), iot("thing/*"), iot(`policy/${names.devicePolicy}`)],
      },
    ],
  };
}

/** A role's name in a region: roles are the account's, and each region's says other things. */
export function roleIn(name: string, region: string, isHome: boolean): string {
  return isHome ? name : `${name}-${region}`;
}

/** What components may do at AWS through the token-exchange service: read artifacts, write measurements and logs. */
export function tokenExchangePolicy(
  place: Place,
  buckets: {
    readonly artifacts: string;
    readonly lake: string;
    /** Where log-manager's `deadLetters.bucket` names one; by the prefix that is its default. */
    readonly deadLetters?: string | undefined;
  },
): PolicyDocument {
  const { artifacts, lake, deadLetters } = buckets;
  // The credentials provider knows whose certificate asks: a device writes its own measurements and no other's.
  const own = `measurements/dt=*/thing=\${credentials-iot:ThingName}/*`;
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: ["s3:GetBucketLocation"],
        Resource: [bucketArn(place, artifacts), bucketArn(place, lake)],
      },
      { Effect: "Allow", Action: ["s3:GetObject"], Resource: [bucketArn(place, `${artifacts}/*`)] },
      {
        Effect: "Allow",
        Action: ["s3:PutObject"],
        Resource: [
          bucketArn(place, `${lake}/${own}`),
          ...(deadLetters === undefined ? [] : [bucketArn(place, `${deadLetters}/dead-letters/*`)]),
        ],
      },
      {
        Effect: "Allow",
        Action: ["firehose:PutRecordBatch"],
        Resource: [arn(place, "firehose", `deliverystream/${names.measurementStream}`)],
      },
      byKey(place, ["s3"]),
      {
        Effect: "Allow",
        Action: [
          "logs:CreateLogGroup",
          "logs:CreateLogStream",
          "logs:PutLogEvents",
          "logs:DescribeLogStreams",
        ],
        Resource: [arn(place, "logs", "log-group:/aws/greengrass/*")],
      },
    ],
  };
}

import type { AwsJsonVersion } from "./aws-json.ts";

/** How the services speak, by the name in their credential scope. The models are loaded when first asked for. */
export interface CatalogEntry {
  readonly protocol:
    | { readonly kind: "rest-json" }
    | { readonly kind: "aws-json"; readonly version: AwsJsonVersion; readonly targetPrefix: string }
    | { readonly kind: "aws-query"; readonly xmlNamespace: string };
  readonly load: () => Promise<object>;
  /** The error that the service answers a badly shaped input with. */
  readonly validationCode: string;
  readonly bodyBytesMax: number;
  /** Whether a body may come compressed. */
  readonly takesGzip?: true;
}

const MiB = 1024 * 1024;

export const catalog: Readonly<Record<string, CatalogEntry>> = {
  greengrass: {
    protocol: { kind: "rest-json" },
    load: () => import("@aws-sdk/client-greengrassv2"),
    validationCode: "ValidationException",
    // A configuration update may be 10 MB of JSON text inside JSON.
    bodyBytesMax: 24 * MiB,
  },
  iot: {
    protocol: { kind: "rest-json" },
    load: () => import("@aws-sdk/client-iot"),
    validationCode: "InvalidRequestException",
    bodyBytesMax: MiB,
  },
  iotdata: {
    protocol: { kind: "rest-json" },
    load: () => import("@aws-sdk/client-iot-data-plane"),
    validationCode: "InvalidRequestException",
    bodyBytesMax: MiB,
  },
  "iot-jobs-data": {
    protocol: { kind: "rest-json" },
    load: () => import("@aws-sdk/client-iot-jobs-data-plane"),
    validationCode: "InvalidRequestException",
    bodyBytesMax: MiB,
  },
  logs: {
    protocol: { kind: "aws-json", version: "1.1", targetPrefix: "Logs_20140328" },
    load: () => import("@aws-sdk/client-cloudwatch-logs"),
    validationCode: "InvalidParameterException",
    bodyBytesMax: 4 * MiB,
    takesGzip: true,
  },
  monitoring: {
    protocol: { kind: "aws-json", version: "1.0", targetPrefix: "GraniteServiceVersion20100801" },
    load: () => import("@aws-sdk/client-cloudwatch"),
    validationCode: "ValidationException",
    bodyBytesMax: MiB,
    takesGzip: true,
  },
  dynamodb: {
    protocol: { kind: "aws-json", version: "1.0", targetPrefix: "DynamoDB_20120810" },
    load: () => import("@aws-sdk/client-dynamodb"),
    validationCode: "ValidationException",
    bodyBytesMax: 17 * MiB,
  },
  kinesis: {
    protocol: { kind: "aws-json", version: "1.1", targetPrefix: "Kinesis_20131202" },
    load: () => import("@aws-sdk/client-kinesis"),
    validationCode: "ValidationException",
    // 10 MiB of records as base64, and room to refuse more by the service's own words.
    bodyBytesMax: 24 * MiB,
  },
  firehose: {
    protocol: { kind: "aws-json", version: "1.1", targetPrefix: "Firehose_20150804" },
    load: () => import("@aws-sdk/client-firehose"),
    validationCode: "InvalidArgumentException",
    bodyBytesMax: 12 * MiB,
  },
  codepipeline: {
    protocol: { kind: "aws-json", version: "1.1", targetPrefix: "CodePipeline_20150709" },
    load: () => import("@aws-sdk/client-codepipeline"),
    validationCode: "ValidationException",
    bodyBytesMax: MiB,
  },
  events: {
    protocol: { kind: "aws-json", version: "1.1", targetPrefix: "AWSEvents" },
    load: () => import("@aws-sdk/client-eventbridge"),
    validationCode: "ValidationException",
    bodyBytesMax: MiB,
  },
  secretsmanager: {
    protocol: { kind: "aws-json", version: "1.1", targetPrefix: "secretsmanager" },
    load: () => import("@aws-sdk/client-secrets-manager"),
    validationCode: "ValidationException",
    bodyBytesMax: MiB,
  },
  glue: {
    protocol: { kind: "aws-json", version: "1.1", targetPrefix: "AWSGlue" },
    load: () => import("@aws-sdk/client-glue"),
    validationCode: "InvalidInputException",
    bodyBytesMax: MiB,
  },
  servicequotas: {
    protocol: { kind: "aws-json", version: "1.1", targetPrefix: "ServiceQuotasV20190624" },
    load: () => import("@aws-sdk/client-service-quotas"),
    validationCode: "IllegalArgumentException",
    bodyBytesMax: MiB,
  },
  sts: {
    protocol: { kind: "aws-query", xmlNamespace: "https://sts.amazonaws.com/doc/2011-06-15/" },
    load: () => import("@aws-sdk/client-sts"),
    validationCode: "ValidationError",
    bodyBytesMax: MiB,
  },
  iam: {
    protocol: { kind: "aws-query", xmlNamespace: "https://iam.amazonaws.com/doc/2010-05-08/" },
    load: () => import("@aws-sdk/client-iam"),
    validationCode: "ValidationError",
    bodyBytesMax: MiB,
  },
  sns: {
    protocol: { kind: "aws-query", xmlNamespace: "http://sns.amazonaws.com/doc/2010-03-31/" },
    load: () => import("@aws-sdk/client-sns"),
    validationCode: "InvalidParameterException",
    bodyBytesMax: 2 * MiB,
  },
};

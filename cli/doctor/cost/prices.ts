/**
 * List prices in US dollars, of one region and one month, without free tiers and without tax. A price that changed is
 * changed here, with the month; `npm run cli-docs` then writes docs/cost.md anew.
 */
export const pricesOf = "2025-07";
export const priceRegion = "us-east-1";

const aws = (page: string): string => `https://aws.amazon.com/${page}/pricing/`;

export const prices = {
  coreDeviceMonth: { usd: 0.16, per: 1, unit: "active core devices", source: aws("greengrass") },
  connectionMinute: { usd: 0.08, per: 1e6, unit: "minutes of connection", source: aws("iot-core") },
  message: { usd: 1, per: 1e6, unit: "messages of 5 KB", source: aws("iot-core") },
  ruleTriggered: { usd: 0.15, per: 1e6, unit: "rules triggered", source: aws("iot-core") },
  ruleAction: { usd: 0.15, per: 1e6, unit: "rule actions", source: aws("iot-core") },
  remoteAction: { usd: 0.003, per: 1, unit: "job executions", source: aws("iot-device-management") },
  lambdaRequest: { usd: 0.2, per: 1e6, unit: "requests", source: aws("lambda") },
  lambdaSecond: { usd: 0.0000166667, per: 1, unit: "GB-seconds", source: aws("lambda") },
  tableWrite: { usd: 0.625, per: 1e6, unit: "write units", source: aws("dynamodb") },
  tableRead: { usd: 0.125, per: 1e6, unit: "read units", source: aws("dynamodb") },
  /** Direct put, each record rounded up to 5 KB, and its conversion to Parquet. */
  delivered: { usd: 0.047, per: 1, unit: "GB delivered", source: aws("firehose") },
  objectPut: { usd: 0.005, per: 1000, unit: "PUTs", source: aws("s3") },
  objectMonth: { usd: 0.023, per: 1, unit: "GB", source: aws("s3") },
  transferOut: { usd: 0.09, per: 1, unit: "GB out", source: "https://aws.amazon.com/ec2/pricing/on-demand/" },
  logIngested: { usd: 0.5, per: 1, unit: "GB of logs", source: aws("cloudwatch") },
  metricMonth: { usd: 0.3, per: 1, unit: "metrics", source: aws("cloudwatch") },
  alarmMonth: { usd: 0.1, per: 1, unit: "alarms", source: aws("cloudwatch") },
  buildMinute: { usd: 0.01, per: 1, unit: "build minutes", source: aws("codebuild") },
  actionMinute: { usd: 0.002, per: 1, unit: "action minutes", source: aws("codepipeline") },
} as const;
export type Price = keyof typeof prices;

import { Duration, RemovalPolicy } from "aws-cdk-lib/core";
import type { Key } from "aws-cdk-lib/aws-kms";
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  CfnBucket,
  type IBucket,
  type LifecycleRule,
  StorageClass,
} from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import { lakeTables } from "./tables.ts";

/** Names are the world's, so they say whose and where. */
export function bucketNames({ account, region }: { readonly account: string; readonly region: string }) {
  const named = (what: string): string => `coalmine-${what}-${region}-${account}`;
  return {
    artifacts: named("artifacts"),
    lake: named("lake"),
    logs: named("access-logs"),
    pipeline: named("pipeline"),
    /** Of the console's files. */
    site: named("site"),
  };
}

const YEARS = 365;

/** What is not read any more costs less; what was overwritten or deleted can be had back for a while. */
export const lifecycles = {
  artifacts: [
    { id: "former-versions", noncurrentVersionExpiration: Duration.days(90) },
    { id: "unfinished", abortIncompleteMultipartUploadAfter: Duration.days(7) },
  ],
  lake: [
    ...lakeTables.map(({ name }) => ({
      id: name,
      prefix: `${name}/`,
      transitions: [{ storageClass: StorageClass.INTELLIGENT_TIERING, transitionAfter: Duration.days(30) }],
      noncurrentVersionExpiration: Duration.days(90),
    })),
    {
      id: "answers",
      prefix: "athena-results/",
      expiration: Duration.days(30),
      noncurrentVersionExpiration: Duration.days(1),
    },
    { id: "refused", prefix: "firehose-errors/", expiration: Duration.days(YEARS) },
    { id: "unfinished", abortIncompleteMultipartUploadAfter: Duration.days(7) },
  ],
  logs: [{ id: "old", expiration: Duration.days(YEARS) }],
} satisfies Record<string, LifecycleRule[]>;

/** A bucket that nobody opens to the world: versioned, encrypted, by TLS alone, kept when its stack goes. */
export function keptBucket(
  scope: Construct,
  id: string,
  props: {
    readonly bucketName: string;
    readonly key: Key;
    readonly logs: Bucket;
    readonly lifecycleRules: LifecycleRule[];
    readonly eventBridgeEnabled?: boolean;
  },
): Bucket {
  const { bucketName, key, logs, lifecycleRules, eventBridgeEnabled = false } = props;
  const bucket = new Bucket(scope, id, {
    bucketName,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    encryption: BucketEncryption.KMS,
    encryptionKey: key,
    bucketKeyEnabled: true,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    versioned: true,
    serverAccessLogsBucket: asBucket(logs),
    serverAccessLogsPrefix: `${bucketName}/`,
    lifecycleRules,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  // The construct's own switch would bring a function that sets it.
  const { defaultChild } = bucket.node;
  if (eventBridgeEnabled && defaultChild instanceof CfnBucket)
    defaultChild.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled } };
  return bucket;
}

/** Where the others' access logs go: S3 writes them with its own key alone. */
export function logBucket(scope: Construct, bucketName: string): Bucket {
  return new Bucket(scope, "AccessLogs", {
    bucketName,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    encryption: BucketEncryption.S3_MANAGED,
    enforceSSL: true,
    versioned: true,
    lifecycleRules: lifecycles.logs,
    removalPolicy: RemovalPolicy.RETAIN,
  });
}

/** As constructs take it: CDK's own types disagree under exactOptionalPropertyTypes. */
export function asBucket(bucket: Bucket): IBucket {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is one.
  return bucket as IBucket;
}

import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import type { GreengrassV2Client } from "@aws-sdk/client-greengrassv2";
import { IAMClient } from "@aws-sdk/client-iam";
import { IoTClient } from "@aws-sdk/client-iot";
import type { S3Client } from "@aws-sdk/client-s3";
import { ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { Clock } from "@coalmine/ports";
import { clientSettings, greengrassOf, s3Of, type Target } from "../../pipeline/target.ts";

/** One region of an account, as doctor looks at it: on AWS or on this machine, by the same clients. */
export interface Account {
  readonly target: Target;
  /** On this machine: nothing of AWS's own addresses holds there. */
  readonly isLocal: boolean;
  /** Actions that components of somebody's own need beside ours, such as `dynamodb:PutItem`. */
  readonly alsoNeeded: readonly string[];
  readonly clock: Pick<Clock, "now">;
  readonly sts: STSClient;
  readonly iam: IAMClient;
  readonly iot: IoTClient;
  readonly greengrass: GreengrassV2Client;
  readonly s3: S3Client;
  readonly quotas: ServiceQuotasClient;
  readonly logs: CloudWatchLogsClient;
}

export function openAccount(
  target: Target,
  { clock, alsoNeeded }: Pick<Account, "clock" | "alsoNeeded">,
): Account {
  const settings = clientSettings(target);
  return {
    target,
    isLocal: target.endpoint !== undefined,
    alsoNeeded,
    clock,
    sts: new STSClient(settings),
    iam: new IAMClient(settings),
    iot: new IoTClient(settings),
    greengrass: greengrassOf(target),
    s3: s3Of(target),
    quotas: new ServiceQuotasClient(settings),
    logs: new CloudWatchLogsClient(settings),
  };
}

export function closeAccount({ sts, iam, iot, greengrass, s3, quotas, logs }: Account): void {
  for (const client of [sts, iam, iot, greengrass, s3, quotas, logs]) client.destroy();
}

/** Who asks. */
export async function callerOf({
  sts,
}: Pick<Account, "sts">): Promise<{ arn: string; accountId: string; partition: string }> {
  const { Arn: arn = "", Account: accountId = "" } = await sts.send(new GetCallerIdentityCommand({}));
  return { arn, accountId, partition: arn.split(":")[1] ?? "aws" };
}

/** Undefined where there is no such thing: each service has its own name for that. */
export async function unlessNone<Answer>(asked: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await asked;
  } catch (failure) {
    if (failure instanceof Error && none.has(failure.name)) return undefined;
    throw failure;
  }
}

const none = new Set([
  "ResourceNotFoundException",
  "NoSuchEntityException",
  "NoSuchEntity",
  "NoSuchBucket",
  "NotFound",
  "NoSuchResourceException",
  "NotConfiguredException",
]);

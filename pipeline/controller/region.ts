import { CodePipelineClient } from "@aws-sdk/client-codepipeline";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { GreengrassV2Client } from "@aws-sdk/client-greengrassv2";
import { IoTClient } from "@aws-sdk/client-iot";
import type { S3Client } from "@aws-sdk/client-s3";
import { clientSettings, greengrassOf, s3Of, type Target } from "../target.ts";

/** The clients of one target's region. */
export interface Region {
  readonly target: Target;
  readonly accountId: string;
  readonly dynamodb: DynamoDBClient;
  readonly greengrass: GreengrassV2Client;
  readonly iot: IoTClient;
  readonly s3: S3Client;
  readonly codepipeline: CodePipelineClient;
}

export function openRegion(target: Target, accountId: string): Region {
  return {
    target,
    accountId,
    dynamodb: new DynamoDBClient(clientSettings(target)),
    greengrass: greengrassOf(target),
    iot: new IoTClient(clientSettings(target)),
    s3: s3Of(target),
    codepipeline: new CodePipelineClient(clientSettings(target)),
  };
}

export function closeRegion(region: Region): void {
  for (const client of [region.dynamodb, region.greengrass, region.iot, region.s3, region.codepipeline])
    client.destroy();
}

export function groupArn({ target, accountId }: Region, group: string): string {
  return `arn:aws:iot:${target.region}:${accountId}:thinggroup/${group}`;
}

/** Calls to one region that may run at a time. */
const CALLS_AT_ONCE = 8;

/** `work` on each item, a few at a time, results in the items' order. The first failure ends it, once those under way have ended too. */
export async function eachOf<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const failures: unknown[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length && failures.length === 0; index = next++) {
      const item = items[index];
      try {
        if (item !== undefined) results[index] = await work(item);
      } catch (failure) {
        failures.push(failure);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(CALLS_AT_ONCE, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
  return results;
}

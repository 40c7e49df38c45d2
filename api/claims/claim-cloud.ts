import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { GreengrassV2Client } from "@aws-sdk/client-greengrassv2";
import { IoTClient } from "@aws-sdk/client-iot";
import { IoTDataPlaneClient } from "@aws-sdk/client-iot-data-plane";
import { S3Client } from "@aws-sdk/client-s3";
import type { Clock, Log } from "@coalmine/ports";
import { ensureTable } from "../../pipeline/evidence/table.ts";

/** What commissioning needs of the region whose devices are commissioned. */
export interface ClaimCloud {
  readonly dynamodb: DynamoDBClient;
  readonly iot: IoTClient;
  readonly iotData: IoTDataPlaneClient;
  readonly s3: S3Client;
  readonly greengrass: GreengrassV2Client;
  readonly cloudwatch: CloudWatchClient;
  readonly clock: Clock;
  readonly log: Log;
  /** The provisioning template that claims are for. */
  readonly template: string;
  /** Where the reports lie, below `commissioning/`. */
  readonly bucket: string;
}

/** Of any AWS client; on AWS neither endpoint nor credentials. */
export interface ClientSettings {
  readonly region: string;
  readonly endpoint?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export function openClaimCloud(
  settings: ClientSettings,
  rest: Pick<ClaimCloud, "clock" | "log" | "template" | "bucket">,
): ClaimCloud {
  return {
    ...rest,
    dynamodb: new DynamoDBClient(settings),
    iot: new IoTClient(settings),
    iotData: new IoTDataPlaneClient(settings),
    s3: new S3Client({ ...settings, forcePathStyle: settings.endpoint !== undefined }),
    greengrass: new GreengrassV2Client(settings),
    cloudwatch: new CloudWatchClient(settings),
  };
}

export function closeClaimCloud(cloud: ClaimCloud): void {
  const { dynamodb, iot, iotData, s3, greengrass, cloudwatch } = cloud;
  for (const client of [dynamodb, iot, iotData, s3, greengrass, cloudwatch]) client.destroy();
}

/** Codes, claims, tries and the devices' history, told apart by the beginning of `item`. */
export const COMMISSIONING_TABLE = "coalmine-commissioning";

export function ensureCommissioningTable({ dynamodb, clock }: ClaimCloud): Promise<void> {
  return ensureTable(
    dynamodb,
    { name: COMMISSIONING_TABLE, hash: "item", range: { name: "sort", type: "S" }, expires: "expires" },
    clock,
  );
}

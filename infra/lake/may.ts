import { allow, arn, bucketArn, byKey, type Place, type Statement } from "../policies/statement.ts";
import { catalogue, type LakeTable, lakeTables } from "./tables.ts";

/** Where Firehose says why a delivery failed. */
export function deliveryLog({ stream }: LakeTable): string {
  return `/aws/kinesisfirehose/${stream}`;
}

/** What Firehose may do to bring measurements and evidence into the lake. */
export function deliveryMay(place: Place, lake: string): readonly Statement[] {
  const glue = (resource: string): string => arn(place, "glue", resource);
  return [
    allow(["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"], bucketArn(place, lake)),
    allow(
      ["s3:PutObject", "s3:AbortMultipartUpload"],
      ...lakeTables.map(({ name }) => bucketArn(place, `${lake}/${name}/*`)),
      bucketArn(place, `${lake}/firehose-errors/*`),
    ),
    allow(
      ["glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"],
      glue("catalog"),
      glue(`database/${catalogue.database}`),
      ...lakeTables.map(({ name }) => glue(`table/${catalogue.database}/${name}`)),
    ),
    allow(
      ["logs:PutLogEvents"],
      ...lakeTables.map((table) => arn(place, "logs", `log-group:${deliveryLog(table)}:log-stream:delivery`)),
    ),
    byKey(place, ["s3", "firehose"]),
  ];
}

import { arn, bucketArn, byKey, type Place, type Statement } from "../policies/statement.ts";
import { catalogue } from "./measurements.ts";

export const FIREHOSE_LOG = "/aws/kinesisfirehose/coalmine-measurements";

/** What Firehose may do to bring measurements into the lake. */
export function deliveryMay(place: Place, lake: string): readonly Statement[] {
  const allow = (Action: readonly string[], ...Resource: readonly string[]): Statement => ({
    Effect: "Allow",
    Action,
    Resource,
  });
  const glue = (resource: string): string => arn(place, "glue", resource);
  return [
    allow(["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"], bucketArn(place, lake)),
    allow(
      ["s3:PutObject", "s3:AbortMultipartUpload"],
      bucketArn(place, `${lake}/measurements/*`),
      bucketArn(place, `${lake}/firehose-errors/*`),
    ),
    allow(
      ["glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"],
      glue("catalog"),
      glue(`database/${catalogue.database}`),
      glue(`table/${catalogue.database}/${catalogue.table}`),
    ),
    allow(["logs:PutLogEvents"], arn(place, "logs", `log-group:${FIREHOSE_LOG}:log-stream:delivery`)),
    byKey(place, ["s3", "firehose"]),
  ];
}

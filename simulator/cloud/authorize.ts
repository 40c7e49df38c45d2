import { ServiceError } from "./service.ts";
import type { Authorize } from "./operations.ts";

/**
 * What a device's token-exchange role may do: the policy that `infra/` gives the real one, as a table. The operator of
 * the account may do everything; a device's certificate signs no requests and comes by its own door.
 */
export const roleMay: Readonly<Record<string, ReadonlySet<string>>> = {
  s3: new Set([
    "GetObject",
    "HeadObject",
    "GetBucketLocation",
    "ListObjectsV2",
    "PutObject",
    "CreateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    "AbortMultipartUpload",
  ]),
  logs: new Set([
    "CreateLogGroup",
    "CreateLogStream",
    "PutLogEvents",
    "DescribeLogGroups",
    "DescribeLogStreams",
  ]),
  kinesis: new Set(["PutRecord", "PutRecords"]),
  firehose: new Set(["PutRecord", "PutRecordBatch"]),
  // For AWS's secret manager, where a deployment brings it.
  secretsmanager: new Set(["GetSecretValue"]),
  sts: new Set(["GetCallerIdentity"]),
};

export const authorizeByKind: Authorize = (caller, service, operation) => {
  const { identity } = caller;
  if (identity.kind === "account") return;
  const allowed = identity.kind === "role" && roleMay[service]?.has(operation) === true;
  if (allowed) return;
  const who =
    identity.kind === "role" ? `${identity.roleArn} of ${identity.thingName}` : identity.certificateId;
  throw new ServiceError(
    service === "s3" || service === "sts" ? "AccessDenied" : "AccessDeniedException",
    403,
    `${who} is not authorized to perform: ${service}:${operation}`,
  );
};

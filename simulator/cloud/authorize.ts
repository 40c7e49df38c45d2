import { ServiceError } from "./service.ts";
import type { DeviceMay } from "./iot/device-may.ts";
import type { Authorize } from "./operations.ts";

/** The most that a device's token-exchange role may do here, as a table. Its policy in `infra/` names resources, and gives less. */
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

/** The operator of the account may do everything, a device what its policies say. */
export function authorizeByKind(deviceMay: DeviceMay): Authorize {
  return ({ identity }, service, operation, input) => {
    if (identity.kind === "account") return;
    const allowed =
      identity.kind === "role"
        ? roleMay[service]?.has(operation) === true
        : deviceMay(identity, service, operation, input);
    if (allowed) return;
    const who =
      identity.kind === "role" ? `${identity.roleArn} of ${identity.thingName}` : identity.certificateId;
    throw new ServiceError(
      service === "s3" || service === "sts" ? "AccessDenied" : "AccessDeniedException",
      403,
      `${who} is not authorized to perform: ${service}:${operation}`,
    );
  };
}

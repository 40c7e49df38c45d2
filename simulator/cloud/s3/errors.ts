import { ServiceError } from "../service.ts";

/** S3's own refusals, by its own codes. @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
export const s3Error = {
  noSuchBucket: (bucket: string) =>
    new ServiceError("NoSuchBucket", 404, "The specified bucket does not exist", { BucketName: bucket }),
  noSuchKey: (key: string) =>
    new ServiceError("NoSuchKey", 404, "The specified key does not exist.", { Key: key }),
  noSuchVersion: (key: string, versionId: string) =>
    new ServiceError("NoSuchVersion", 404, "The specified version does not exist.", {
      Key: key,
      VersionId: versionId,
    }),
  noSuchUpload: (uploadId: string) =>
    new ServiceError(
      "NoSuchUpload",
      404,
      "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
      { UploadId: uploadId },
    ),
  preconditionFailed: (condition: string) =>
    new ServiceError(
      "PreconditionFailed",
      412,
      "At least one of the pre-conditions you specified did not hold",
      {
        Condition: condition,
      },
    ),
  invalidRange: () => new ServiceError("InvalidRange", 416, "The requested range is not satisfiable"),
  badDigest: (what: string) =>
    new ServiceError("BadDigest", 400, `The ${what} you specified did not match what we received.`),
  invalidArgument: (message: string) => new ServiceError("InvalidArgument", 400, message),
  invalidRequest: (message: string) => new ServiceError("InvalidRequest", 400, message),
  malformedXml: () =>
    new ServiceError(
      "MalformedXML",
      400,
      "The XML you provided was not well-formed or did not validate against our published schema",
    ),
  methodNotAllowed: () =>
    new ServiceError(
      "MethodNotAllowed",
      405,
      "The specified method is not allowed against this resource: it is a delete marker.",
    ),
  notImplemented: (what: string) =>
    new ServiceError(
      "NotImplemented",
      501,
      `${what} is not simulated; simulator/DIFFERENCES.md lists what is.`,
    ),
} as const;

import type { AwsError } from "@coalmine/ports";
import { messageOf } from "./error.ts";

/** What to do about an answer that is not success, of whoever is given data. */
export type DeliveryFailure =
  /** It is there: an earlier attempt stored it, and its answer was lost. */
  | { readonly kind: "stored" }
  /** Goes away by itself: throttling, the service's own troubles, the network. */
  | { readonly kind: "retry"; readonly code: string; readonly afterMs: number }
  /** Somebody has to do something; trying goes on, the data is kept. */
  | { readonly kind: "blocked"; readonly code: string; readonly remedy: string }
  /** This content is refused, and will be however often it comes. */
  | { readonly kind: "poison"; readonly code: string };

interface Rules {
  readonly remedies: Readonly<Record<string, string>>;
  readonly forbidden: string;
  readonly unknown: string;
  /** Refusals of the content, whoever sends it. Only these ever give anything up. */
  readonly poison: ReadonlySet<string>;
}

const CLOCK = "the device's clock is wrong: let it reach a time server";

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList */
const s3: Rules = {
  remedies: {
    NoSuchBucket: "create the bucket, or set `bucket` to one that is there",
    PermanentRedirect: "the bucket is in another region: set `bucket` to one in the device's region",
    RequestTimeTooSkewed: CLOCK,
    InvalidBucketState: "make the bucket's storage writable",
  },
  forbidden:
    "allow s3:PutObject on the bucket and prefix to the device's role (the role behind the token exchange role alias)",
  unknown: "look up this code of S3, and correct `bucket` or its policy",
  poison: new Set(["EntityTooLarge", "KeyTooLongError"]),
};
/** @see https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html#API_PutRecords_Errors */
const kinesis: Rules = {
  remedies: {
    ResourceNotFoundException:
      "create the stream, or set the sink's `streamName` to one in the device's region",
    RequestExpired: CLOCK,
    KMSDisabledException: "enable the stream's key",
    KMSInvalidStateException: "make the stream's key usable",
    KMSNotFoundException: "give the stream a key that exists",
  },
  forbidden: "allow kinesis:PutRecords on the stream, and its key, to the device's role",
  unknown: "look up this code of Kinesis, and correct the sink or its stream",
  poison: new Set(["ValidationException", "InvalidArgumentException", "SerializationException"]),
};
/** @see https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html#API_PutRecordBatch_Errors */
const firehose: Rules = {
  remedies: {
    ResourceNotFoundException:
      "create the delivery stream, or set the sink's `deliveryStreamName` to one in the device's region",
    InvalidSourceException: "give the delivery stream Direct PUT as its source",
    InvalidKMSResourceException: "make the delivery stream's key usable",
    RequestExpired: CLOCK,
  },
  forbidden: "allow firehose:PutRecordBatch on the delivery stream to the device's role",
  unknown: "look up this code of Firehose, and correct the sink or its delivery stream",
  poison: new Set(["InvalidArgumentException", "ValidationException", "SerializationException"]),
};
const services = { s3, kinesis, firehose } as const;

/** Waiting is enough, whatever status they come with: credentials that are being renewed, and throttling. */
const passing = new Set([
  "ExpiredToken",
  "ExpiredTokenException",
  "RequestTimeout",
  "SlowDown",
  "NetworkError",
  "ThrottlingException",
  "ProvisionedThroughputExceededException",
  "LimitExceededException",
  "KMSThrottlingException",
  "InternalFailure",
  "InternalFailureException",
]);

/** Of an AWS service, by its own code. What is not an answer is tried again. */
export function classifyAws(service: keyof typeof services, failure: unknown): DeliveryFailure {
  if (!isAwsError(failure)) return { kind: "retry", code: messageOf(failure), afterMs: 0 };
  const { code, statusCode = 0, retryAfterMs = 0 } = failure;
  const { remedies, forbidden, unknown, poison } = services[service];
  if (service === "s3" && (statusCode === 412 || code === "PreconditionFailed")) return { kind: "stored" };
  const remedy = remedies[code];
  if (remedy !== undefined) return { kind: "blocked", code, remedy };
  const isPassing = passing.has(code) || statusCode >= 500 || statusCode === 409 || statusCode === 429;
  if (isPassing || statusCode < 400) return { kind: "retry", code, afterMs: retryAfterMs };
  if (poison.has(code) || statusCode === 413) return { kind: "poison", code };
  const isForbidden =
    statusCode === 403 || code.startsWith("AccessDenied") || code === "KMSAccessDeniedException";
  return { kind: "blocked", code, remedy: isForbidden ? forbidden : unknown };
}

export function isAwsError(failure: unknown): failure is AwsError {
  return failure instanceof Error && failure.name === "AwsError" && "code" in failure;
}

/** What to do about an answer of S3 that is not success. */
export type UploadFailure =
  /** The object is there: an earlier attempt stored it, and its answer was lost. */
  | { readonly kind: "stored" }
  /** Goes away by itself. */
  | { readonly kind: "retry"; readonly code: string; readonly afterMs: number }
  /** Somebody has to do something; trying goes on, the data is kept. */
  | { readonly kind: "blocked"; readonly code: string; readonly remedy: string };

const remedies: Readonly<Record<string, string>> = {
  AccessDenied:
    "allow s3:PutObject on the bucket and prefix to the device's role (the role behind the token exchange role alias)",
  NoSuchBucket: "create the bucket, or set `bucket` to the lake's own",
  PermanentRedirect: "the bucket is in another region: set `bucket` to one in the device's region",
  RequestTimeTooSkewed: "the device's clock is wrong: let it reach a time server",
  InvalidBucketState: "make the bucket's storage writable",
};
/** Credentials that are being renewed, and the service's own troubles: waiting is enough. */
const passing = new Set([
  "ExpiredToken",
  "ExpiredTokenException",
  "RequestTimeout",
  "SlowDown",
  "NetworkError",
]);

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList */
export function classify(failure: unknown): UploadFailure {
  if (!isAwsError(failure)) return { kind: "retry", code: describe(failure), afterMs: 0 };
  const { code, statusCode = 0, retryAfterMs = 0 } = failure;
  if (statusCode === 412 || code === "PreconditionFailed") return { kind: "stored" };
  const remedy = remedies[code];
  if (remedy !== undefined) return { kind: "blocked", code, remedy };
  const isPassing = passing.has(code) || statusCode >= 500 || statusCode === 409 || statusCode === 429;
  if (isPassing || statusCode < 400) return { kind: "retry", code, afterMs: retryAfterMs };
  return {
    kind: "blocked",
    code,
    remedy:
      statusCode === 403
        ? (remedies["AccessDenied"] ?? "")
        : "look up this code of S3, and correct `bucket` or its policy",
  };
}

function isAwsError(
  failure: unknown,
): failure is Error & { code: string; statusCode?: number; retryAfterMs?: number } {
  return failure instanceof Error && failure.name === "AwsError" && "code" in failure;
}

function describe(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure);
}

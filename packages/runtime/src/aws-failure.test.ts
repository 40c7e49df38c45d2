import { expect, test } from "vitest";
import { classifyAws } from "./aws-failure.ts";

const refusal = (code: string, statusCode?: number, retryAfterMs?: number): Error =>
  Object.assign(new Error(code), { name: "AwsError", code, statusCode, retryAfterMs });

test.each([
  ["s3", "PreconditionFailed", 412, "stored"],
  ["s3", "ConditionalRequestConflict", 409, "retry"],
  ["s3", "SlowDown", 503, "retry"],
  ["s3", "InternalError", 500, "retry"],
  ["s3", "TooManyRequests", 429, "retry"],
  ["s3", "ExpiredToken", 400, "retry"],
  ["s3", "NetworkError", undefined, "retry"],
  ["s3", "AccessDenied", 403, "blocked"],
  ["s3", "SignatureDoesNotMatch", 403, "blocked"],
  ["s3", "NoSuchBucket", 404, "blocked"],
  ["s3", "PermanentRedirect", 301, "blocked"],
  ["s3", "InvalidRequest", 400, "blocked"],
  ["s3", "EntityTooLarge", 400, "poison"],
  ["kinesis", "ProvisionedThroughputExceededException", 400, "retry"],
  ["kinesis", "KMSThrottlingException", 400, "retry"],
  ["kinesis", "ResourceNotFoundException", 400, "blocked"],
  ["kinesis", "AccessDeniedException", 400, "blocked"],
  ["kinesis", "UnrecognizedClientException", 400, "blocked"],
  ["kinesis", "ValidationException", 400, "poison"],
  ["firehose", "ServiceUnavailableException", 503, "retry"],
  ["firehose", "ResourceNotFoundException", 400, "blocked"],
  ["firehose", "InvalidArgumentException", 400, "poison"],
  ["firehose", "RequestEntityTooLargeException", 413, "poison"],
] as const)("%s: %s (%s) is %s", (service, code, statusCode, kind) => {
  const answer = classifyAws(service, refusal(code, statusCode));
  expect(answer.kind).toBe(kind);
  if (answer.kind === "blocked") expect(answer.remedy.length).toBeGreaterThan(20);
});

test("the service's own wait is honoured, and what is not an answer is tried again", () => {
  expect(classifyAws("s3", refusal("SlowDown", 503, 7000))).toEqual({
    kind: "retry",
    code: "SlowDown",
    afterMs: 7000,
  });
  expect(classifyAws("s3", new TypeError("fetch failed")).kind).toBe("retry");
});

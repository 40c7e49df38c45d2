import { expect, test } from "vitest";
import { classify } from "./upload-failure.ts";

const refusal = (code: string, statusCode?: number, retryAfterMs?: number): Error =>
  Object.assign(new Error(code), { name: "AwsError", code, statusCode, retryAfterMs });

test.each([
  ["PreconditionFailed", 412, "stored"],
  ["ConditionalRequestConflict", 409, "retry"],
  ["SlowDown", 503, "retry"],
  ["InternalError", 500, "retry"],
  ["TooManyRequests", 429, "retry"],
  ["ExpiredToken", 400, "retry"],
  ["NetworkError", undefined, "retry"],
  ["AccessDenied", 403, "blocked"],
  ["SignatureDoesNotMatch", 403, "blocked"],
  ["NoSuchBucket", 404, "blocked"],
  ["PermanentRedirect", 301, "blocked"],
  ["EntityTooLarge", 400, "blocked"],
])("%s (%s) is %s", (code, statusCode, kind) => {
  const answer = classify(refusal(code, statusCode));
  expect(answer.kind).toBe(kind);
  if (answer.kind === "blocked") expect(answer.remedy.length).toBeGreaterThan(20);
});

test("the service's own wait is honoured, and what is not an answer is tried again", () => {
  expect(classify(refusal("SlowDown", 503, 7000))).toEqual({
    kind: "retry",
    code: "SlowDown",
    afterMs: 7000,
  });
  expect(classify(new TypeError("fetch failed")).kind).toBe("retry");
});

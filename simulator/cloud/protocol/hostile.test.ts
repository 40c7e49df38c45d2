import { request } from "node:http";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ListThingsCommand, IoTClient } from "@aws-sdk/client-iot";
import { systemClock } from "@coalmine/runtime/system-clock";
import type { HttpResponse } from "./http.ts";
import { signedRequest, type ToSign } from "./signed-request.ts";
import { startTestCloud, type TestCloud } from "./test-cloud.ts";

/** Whoever has the operator's keys and no good intent: refused with the right error, and everybody else is served. */

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await startTestCloud();
});
afterAll(() => cloud.close());

async function ask(asked: ToSign): Promise<HttpResponse> {
  const { endpoint, client } = cloud;
  const { region, credentials } = client;
  return cloud.cloud.handle(signedRequest(asked, { endpoint, region, credentials, now: systemClock.now() }));
}
const errorOf = ({ status, headers }: HttpResponse): unknown[] => [status, headers["x-amzn-errortype"]];
const json = { "content-type": "application/json" };
const thing = { service: "iot", method: "POST", path: "/things/t", headers: json };
const logs = (operation: string, body: Buffer | object): ToSign => ({
  service: "logs",
  method: "POST",
  path: "/",
  headers: { "x-amz-target": `Logs_20140328.${operation}`, "content-type": "application/x-amz-json-1.1" },
  body,
});

test("JSON that is nested too deeply, is none, or is of the wrong shape", async () => {
  const deep = Buffer.from(`{"logGroupName":${"[".repeat(100_000)}`);
  expect(errorOf(await ask(logs("CreateLogGroup", deep)))).toEqual([400, "SerializationException"]);
  for (const body of ["{", "[]", '{"logGroupName":[]}', '{"logGroupName":"a"}}', "\0"])
    expect(errorOf(await ask(logs("CreateLogGroup", Buffer.from(body))))).toEqual([
      400,
      "SerializationException",
    ]);
  const odd = Buffer.from('{"__proto__":{"logGroupName":"x"},"constructor":1}');
  expect(errorOf(await ask(logs("CreateLogGroup", odd)))).toEqual([400, "InvalidParameterException"]);
  expect(({} as Record<string, unknown>)["logGroupName"]).toBeUndefined();
});

test("bodies over what the service takes, and lengths that nobody should wait for", async () => {
  const big = { ...thing, body: Buffer.alloc(1024 * 1024 + 1, " ") };
  expect(errorOf(await ask(big))).toEqual([413, "RequestEntityTooLargeException"]);
  const status = await new Promise((resolve, reject) => {
    const outgoing = request(
      cloud.endpoint,
      { method: "PUT", path: "/b/k", headers: { "content-length": String(600 * 1024 * 1024) } },
      (response) => {
        response.resume();
        resolve(response.statusCode);
        outgoing.destroy();
      },
    );
    outgoing.on("error", reject);
    outgoing.flushHeaders();
  });
  expect(status).toBe(413);
});

test("names, operations and paths that are nobody's", async () => {
  expect(errorOf(await ask(logs("Fly", {})))).toEqual([404, "UnknownOperationException"]);
  expect(errorOf(await ask(logs("__proto__", {})))).toEqual([404, "UnknownOperationException"]);
  expect(errorOf(await ask({ ...thing, service: "__proto__" }))).toEqual([404, "UnknownOperationException"]);
  expect(errorOf(await ask({ ...thing, path: "/things/%E0%A4%A" }))).toEqual([400, "SerializationException"]);
  expect(errorOf(await ask({ ...thing, path: "/things/..%2f..%2fetc" }))).toEqual([
    400,
    "InvalidRequestException",
  ]);
  expect((await ask({ service: "s3", method: "GET", path: "/../../etc/passwd" })).status).toBe(404);
  expect((await ask({ service: "s3", method: "PUT", path: "/..", body: Buffer.alloc(0) })).status).toBe(400);
  const xml = Buffer.from('<!DOCTYPE a [<!ENTITY b "c">]><Delete><Object><Key>&b;</Key></Object></Delete>');
  await ask({ service: "s3", method: "PUT", path: "/hostile" });
  expect((await ask({ service: "s3", method: "POST", path: "/hostile?delete=", body: xml })).status).toBe(
    400,
  );
});

test("whatever comes signed, no answer is a failure of our own, and the next client is served", async () => {
  const targets = [
    "Logs_20140328.PutLogEvents",
    "DynamoDB_20120810.PutItem",
    "Kinesis_20131202.PutRecord",
    "x",
    "",
  ];
  const asked = fc.record({
    service: fc.constantFrom(
      "iot",
      "iotdata",
      "greengrass",
      "logs",
      "dynamodb",
      "kinesis",
      "firehose",
      "s3",
      "sts",
    ),
    method: fc.constantFrom("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"),
    path: fc.oneof(
      fc.constantFrom(
        "/",
        "/things/t",
        "/things/t/shadow",
        "/b/k",
        "/b?versioning",
        "/b/k?uploadId=1&partNumber=0",
      ),
      fc
        .array(fc.constantFrom("things", "..", "%2e", "", "a b", "tags", "greengrass", "v2", "%00", "é"), {
          maxLength: 5,
        })
        .map((parts) => `/${parts.map((part) => part.replaceAll(/[^!-~]/gu, encodeURIComponent)).join("/")}`),
    ),
    headers: fc.record({
      "x-amz-target": fc.constantFrom(...targets),
      range: fc.constantFrom("bytes=9-1", "x", ""),
    }),
    body: fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      fc.json({ maxDepth: 3 }).map((text) => Buffer.from(text)),
    ),
  });
  await fc.assert(
    fc.asyncProperty(asked, async (one) => {
      const { status } = await ask(one);
      expect(status === 501 || status < 500, `${status} to ${JSON.stringify(one)}`).toBe(true);
    }),
    { numRuns: 1500 },
  );
  expect((await new IoTClient(cloud.client).send(new ListThingsCommand({}))).$metadata.httpStatusCode).toBe(
    200,
  );
}, 120_000);

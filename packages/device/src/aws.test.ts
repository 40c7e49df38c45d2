import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cloudWatchLogs } from "./cloud-logs.ts";
import { s3Objects } from "./objects.ts";
import { awsStreams } from "./streams.ts";

/** What the service's door sees: real clients, real HTTP, answers as AWS writes them. */
let server: Server;
let requests: { method: string; url: string; headers: IncomingMessage["headers"]; body: Buffer }[];
let answer: (response: ServerResponse) => void;

beforeEach(async () => {
  requests = [];
  answer = (response) => response.end();
  server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
    const { method = "", url = "", headers } = request;
    requests.push({ method, url, headers, body: Buffer.concat(chunks) });
    answer(response);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const config = () => ({
  region: "eu-central-1",
  endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  credentials: { accessKeyId: "AKIDLOCAL", secretAccessKey: "local" },
});
const body = new TextEncoder().encode("parquet");
const put = { bucket: "lake", key: "a/b=1/c.parquet", body, contentType: "application/x", ifNoneMatch: true };

test("an object is put in one request, whole, with its checksum and the condition", async () => {
  answer = (response) => response.writeHead(200, { etag: '"e"' }).end();
  expect(await s3Objects(config()).put(put)).toEqual({ etag: '"e"' });
  expect(requests).toHaveLength(1);
  const [request] = requests;
  expect(request).toMatchObject({ method: "PUT", url: "/lake/a/b%3D1/c.parquet?x-id=PutObject" });
  expect(request?.headers).toMatchObject({
    "if-none-match": "*",
    "content-type": "application/x",
    "content-length": "7",
    "x-amz-checksum-sha256": createHash("sha256").update(body).digest("base64"),
  });
  expect(request?.body).toEqual(Buffer.from(body));
  await s3Objects(config()).put({ ...put, ifNoneMatch: false });
  expect(requests[1]?.headers).not.toHaveProperty("if-none-match");
});

test("a refusal has the service's own code and is not asked again", async () => {
  answer = (response) =>
    response
      .writeHead(412, { "content-type": "application/xml" })
      .end("<Error><Code>PreconditionFailed</Code><Message>it is there</Message></Error>");
  await expect(s3Objects(config()).put(put)).rejects.toMatchObject({
    name: "AwsError",
    code: "PreconditionFailed",
    statusCode: 412,
    message: expect.stringContaining("s3://lake/a/b=1/c.parquet"),
  });
  answer = (response) =>
    response
      .writeHead(503, { "content-type": "application/xml", "retry-after": "3" })
      .end("<Error><Code>SlowDown</Code><Message>slow down</Message></Error>");
  await expect(s3Objects(config()).put(put)).rejects.toMatchObject({
    code: "SlowDown",
    statusCode: 503,
    retryAfterMs: 3000,
  });
  expect(requests).toHaveLength(2);
});

test("where no answer comes it is a NetworkError, once", async () => {
  answer = (response) => response.destroy();
  await expect(s3Objects(config()).put(put)).rejects.toMatchObject({
    name: "AwsError",
    code: "NetworkError",
  });
  expect(requests).toHaveLength(1);
});

test("log events are put, and the answer tells what was not kept and the server's time", async () => {
  const at = "Mon, 23 Nov 2026 10:00:00 GMT";
  answer = (response) =>
    response
      .writeHead(200, { "content-type": "application/x-amz-json-1.1", date: at })
      .end('{"rejectedLogEventsInfo":{"tooNewLogEventStartIndex":2,"expiredLogEventEndIndex":1}}');
  const events = [{ timestampMs: 1_800_000_000_000, message: "größer" }];
  expect(await cloudWatchLogs(config()).putLogEvents("g", "s", events)).toEqual({
    tooNewStartIndex: 2,
    expiredEndIndex: 1,
    serverTimeMs: Date.parse(at),
  });
  expect(requests[0]?.headers["x-amz-target"]).toBe("Logs_20140328.PutLogEvents");
});

test("many log events go compressed, few as they are", async () => {
  answer = (response) => response.writeHead(200, { "content-type": "application/x-amz-json-1.1" }).end("{}");
  const logs = cloudWatchLogs(config());
  const events = Array.from({ length: 500 }, (_, n) => ({
    timestampMs: 1_800_000_000_000,
    message: `größer ${n}`,
  }));
  await logs.putLogEvents("g", "s", events);
  await logs.putLogEvents("g", "s", events.slice(0, 1));
  const [many, few] = requests;
  expect(many?.headers).toMatchObject({
    "content-encoding": "gzip",
    "content-length": String(many?.body.length),
  });
  const plain = gunzipSync(many?.body ?? "").toString();
  expect(JSON.parse(plain).logEvents).toHaveLength(500);
  expect(many?.body.length).toBeLessThan(plain.length / 5);
  expect(few?.headers).not.toHaveProperty("content-encoding");
});

test("log groups and streams are made; what exists is told by code", async () => {
  const logs = cloudWatchLogs(config());
  await logs.createLogGroup("g");
  await logs.createLogStream("g", "s");
  answer = (response) =>
    response
      .writeHead(400, { "content-type": "application/x-amz-json-1.1" })
      .end('{"__type":"ResourceAlreadyExistsException","message":"The specified log group already exists"}');
  await expect(logs.createLogGroup("g")).rejects.toMatchObject({
    code: "ResourceAlreadyExistsException",
    statusCode: 400,
  });
  expect(requests.map(({ headers }) => headers["x-amz-target"])).toEqual([
    "Logs_20140328.CreateLogGroup",
    "Logs_20140328.CreateLogStream",
    "Logs_20140328.CreateLogGroup",
  ]);
});

test.each([
  ["kinesis", "Kinesis_20131202.PutRecords", "Records"],
  ["firehose", "Firehose_20150804.PutRecordBatch", "RequestResponses"],
] as const)(
  "%s answers for each record, and a silent answer is not a success",
  async (kind, target, member) => {
    answer = (response) =>
      response.writeHead(200, { "content-type": "application/x-amz-json-1.1" }).end(
        JSON.stringify({
          FailedRecordCount: 1,
          FailedPutCount: 1,
          [member]: [
            { SequenceNumber: "1", RecordId: "1" },
            { ErrorCode: "ServiceUnavailableException", ErrorMessage: "slow" },
          ],
        }),
      );
    const records = ["a", "b", "c"].map((text) => ({
      data: new TextEncoder().encode(text),
      partitionKey: text,
    }));
    expect(await awsStreams(config()).put({ kind, name: "s" }, records)).toEqual([
      {},
      { errorCode: "ServiceUnavailableException", errorMessage: "slow" },
      { errorCode: "InternalFailure", errorMessage: "the service said nothing of this record" },
    ]);
    expect(requests.map(({ headers }) => headers["x-amz-target"])).toEqual([target]);
    answer = (response) =>
      response
        .writeHead(400, { "content-type": "application/x-amz-json-1.1" })
        .end('{"__type":"ResourceNotFoundException","message":"no such stream"}');
    await expect(awsStreams(config()).put({ kind, name: "s" }, records)).rejects.toMatchObject({
      name: "AwsError",
      code: "ResourceNotFoundException",
      statusCode: 400,
    });
    expect(requests).toHaveLength(2);
  },
);

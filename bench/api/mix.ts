import type { Api, Request } from "./requests.ts";
import { signed } from "./requests.ts";

/** Names that rounds write and read. */
const NAMES = 200;
const BODY = Buffer.alloc(1024, "b");

function target(api: Api, service: string, name: string, version: string, body: object): Request {
  return signed(api, service, "POST", "/", body, {
    "x-amz-target": name,
    "content-type": `application/x-amz-json-${version}`,
  });
}
const dynamo = (api: Api, operation: string, body: object): Request =>
  target(api, "dynamodb", `DynamoDB_20120810.${operation}`, "1.0", body);
const logs = (api: Api, operation: string, body: object): Request =>
  target(api, "logs", `Logs_20140328.${operation}`, "1.1", body);
export const thingNamed = (api: Api, name: string): Request =>
  signed(api, "iot", "POST", `/things/${name}`, {}, { "content-type": "application/json" });

/** One request to every service that a cloud serves; what it answers does not matter. */
export function touches(api: Api): Request[] {
  return [
    signed(api, "s3", "GET", "/", undefined),
    signed(api, "iot", "GET", "/things", undefined),
    signed(api, "iotdata", "GET", "/things/none/shadow", undefined),
    signed(api, "greengrass", "GET", "/greengrass/v2/components", undefined),
    dynamo(api, "ListTables", {}),
    logs(api, "DescribeLogGroups", {}),
    target(api, "kinesis", "Kinesis_20131202.ListStreams", "1.1", {}),
    target(api, "firehose", "Firehose_20150804.ListDeliveryStreams", "1.1", {}),
    target(api, "codepipeline", "CodePipeline_20150709.ListPipelines", "1.1", {}),
  ];
}

/** What the mix reads and writes is there before the first round. */
export function preparations(api: Api): Request[] {
  const made = [
    signed(api, "s3", "PUT", "/bench", undefined),
    dynamo(api, "CreateTable", {
      TableName: "bench",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "k", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "k", KeyType: "HASH" }],
    }),
    logs(api, "CreateLogGroup", { logGroupName: "bench" }),
    logs(api, "CreateLogStream", { logGroupName: "bench", logStreamName: "bench" }),
  ];
  for (let n = 0; n < NAMES; n++)
    made.push(thingNamed(api, `thing-${n}`), ...kinds.flatMap(({ write }) => write(api, n, 0)));
  return made;
}

/** A read and a write of each of five services. */
const kinds: readonly {
  readonly read: (api: Api, n: number) => Request;
  readonly write: (api: Api, n: number, round: number) => Request;
}[] = [
  {
    read: (api, n) => signed(api, "s3", "GET", `/bench/object-${n}`, undefined),
    write: (api, n) => signed(api, "s3", "PUT", `/bench/object-${n}`, BODY),
  },
  {
    read: (api, n) => dynamo(api, "GetItem", { TableName: "bench", Key: { k: { S: `k${n}` } } }),
    write: (api, n, round) =>
      dynamo(api, "PutItem", {
        TableName: "bench",
        Item: { k: { S: `k${n}` }, round: { N: String(round) } },
      }),
  },
  {
    read: (api, n) => signed(api, "iotdata", "GET", `/things/thing-${n}/shadow`, undefined),
    write: (api, n, round) =>
      signed(api, "iotdata", "POST", `/things/thing-${n}/shadow`, { state: { reported: { round } } }),
  },
  {
    read: (api, n) => signed(api, "iot", "GET", `/things/thing-${n}`, undefined),
    write: (api, n, round) =>
      signed(
        api,
        "iot",
        "PATCH",
        `/things/thing-${n}`,
        { attributePayload: { attributes: { round: String(round) } } },
        { "content-type": "application/json" },
      ),
  },
  {
    read: (api) => logs(api, "DescribeLogStreams", { logGroupName: "bench" }),
    write: (api, n) =>
      logs(api, "PutLogEvents", {
        logGroupName: "bench",
        logStreamName: "bench",
        logEvents: [{ timestamp: Date.now(), message: `line ${n}` }],
      }),
  },
];

/** Three reads for two writes, over all five in turn. */
export function mixed(api: Api, count: number, round: number): Request[] {
  return Array.from({ length: count }, (_, n) => {
    const kind = kinds[Math.floor(n / 5) % kinds.length];
    if (kind === undefined) throw new RangeError("no such kind");
    const name = (n * 7) % NAMES;
    return n % 5 < 3 ? kind.read(api, name) : kind.write(api, name, round);
  });
}

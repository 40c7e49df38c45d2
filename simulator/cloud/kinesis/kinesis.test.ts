import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  PutRecordCommand,
  PutRecordsCommand,
} from "@aws-sdk/client-kinesis";
import { awsStreams } from "@coalmine/device/streams";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestCloud, type TestCloud } from "../protocol/test-cloud.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
let cloud: TestCloud;
let kinesis: KinesisClient;
beforeAll(async () => {
  cloud = await startTestCloud();
  kinesis = new KinesisClient({ ...cloud.client, requestHandler: new NodeHttpHandler() });
  await kinesis.send(new CreateStreamCommand({ StreamName: "readings", ShardCount: 4 }));
});
afterAll(async () => {
  kinesis.destroy();
  await cloud.close();
});

async function read(shard: string): Promise<{ key: string; text: string }[]> {
  const { ShardIterator } = await kinesis.send(
    new GetShardIteratorCommand({
      StreamName: "readings",
      ShardId: shard,
      ShardIteratorType: "TRIM_HORIZON",
    }),
  );
  const { Records = [] } = await kinesis.send(new GetRecordsCommand({ ShardIterator }));
  return Records.map(({ PartitionKey = "", Data }) => ({
    key: PartitionKey,
    text: new TextDecoder().decode(Data),
  }));
}

test("records go to the shard of their partition key, in order, and are read back", async () => {
  const records = Array.from({ length: 40 }, (_, n) => ({
    Data: bytes(`${n}`),
    PartitionKey: `rheo-${n % 8}`,
  }));
  const answer = await kinesis.send(new PutRecordsCommand({ StreamName: "readings", Records: records }));
  expect(answer.FailedRecordCount).toBe(0);
  const { Shards = [] } = await kinesis.send(new ListShardsCommand({ StreamName: "readings" }));
  expect(Shards).toHaveLength(4);
  const seen = new Map<string, string[]>();
  for (const { ShardId = "" } of Shards)
    for (const { key, text } of await read(ShardId)) seen.set(key, [...(seen.get(key) ?? []), text]);
  expect(seen.size).toBe(8);
  expect(seen.get("rheo-3")).toEqual(["3", "11", "19", "27", "35"]);
  // The last shard ends where the hash keys end.
  expect(Shards.at(-1)?.HashKeyRange?.EndingHashKey).toBe(String(2n ** 128n - 1n));
});

test.each([
  ["501 records", Array.from({ length: 501 }, () => ({ Data: bytes("x"), PartitionKey: "k" })), "500"],
  ["no record", [], "greater than or equal to 1"],
  ["a record over 1 MiB", [{ Data: new Uint8Array(2 ** 20), PartitionKey: "k" }], "1048576"],
  [
    "over 10 MiB",
    Array.from({ length: 11 }, () => ({ Data: new Uint8Array(2 ** 20 - 1), PartitionKey: "k" })),
    "10485760",
  ],
  ["an empty partition key", [{ Data: bytes("x"), PartitionKey: "" }], "PartitionKey"],
])("a request with %s is refused whole", async (_, Records, text) => {
  await expect(
    kinesis.send(new PutRecordsCommand({ StreamName: "readings", Records })),
  ).rejects.toMatchObject({ name: "ValidationException", message: expect.stringContaining(text) });
});

test("what exists or is missing is refused by name", async () => {
  await expect(
    kinesis.send(new CreateStreamCommand({ StreamName: "readings", ShardCount: 1 })),
  ).rejects.toMatchObject({ name: "ResourceInUseException" });
  await expect(
    kinesis.send(new PutRecordCommand({ StreamName: "none", Data: bytes("x"), PartitionKey: "k" })),
  ).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  const { StreamDescriptionSummary } = await kinesis.send(
    new DescribeStreamSummaryCommand({ StreamName: "readings" }),
  );
  expect(StreamDescriptionSummary).toMatchObject({ StreamStatus: "ACTIVE", OpenShardCount: 4 });
});

test("the device's own port puts records, and tells refusals by code", async () => {
  const streams = awsStreams(cloud.client);
  const target = { kind: "kinesis", name: "readings" } as const;
  expect(await streams.put(target, [{ data: bytes("from a device"), partitionKey: "device" }])).toEqual([{}]);
  await expect(
    streams.put({ ...target, name: "none" }, [{ data: bytes("x"), partitionKey: "k" }]),
  ).rejects.toMatchObject({ name: "AwsError", code: "ResourceNotFoundException", statusCode: 400 });
});

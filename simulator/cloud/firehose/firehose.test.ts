import {
  CreateDeliveryStreamCommand,
  DescribeDeliveryStreamCommand,
  FirehoseClient,
  PutRecordBatchCommand,
  PutRecordCommand,
} from "@aws-sdk/client-firehose";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { awsStreams } from "@coalmine/device/streams";
import { DrivenClock } from "@coalmine/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestCloud, type TestCloud } from "../protocol/test-cloud.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const start = Date.parse("2030-06-01T10:20:30Z");
const clock = new DrivenClock(start, () => new Promise(setImmediate));
let cloud: TestCloud;
let firehose: FirehoseClient;
let s3: S3Client;
beforeAll(async () => {
  cloud = await startTestCloud({ clock });
  firehose = new FirehoseClient(cloud.client);
  s3 = new S3Client(cloud.client);
  await s3.send(new CreateBucketCommand({ Bucket: "landing" }));
  await firehose.send(
    new CreateDeliveryStreamCommand({
      DeliveryStreamName: "readings",
      ExtendedS3DestinationConfiguration: {
        BucketARN: "arn:aws:s3:::landing",
        RoleARN: "arn:aws:iam::123456789012:role/delivery",
        Prefix: "raw/",
        BufferingHints: { IntervalInSeconds: 60, SizeInMBs: 1 },
      },
    }),
  );
});
afterAll(async () => {
  firehose.destroy();
  s3.destroy();
  await cloud.close();
});

async function delivered(): Promise<{ key: string; text: string }[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: "landing" }));
  return Promise.all(
    Contents.map(async ({ Key = "" }) => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: "landing", Key }));
      return { key: Key, text: (await Body?.transformToString()) ?? "" };
    }),
  );
}
const put = (Records: { Data: Uint8Array }[]) =>
  firehose.send(new PutRecordBatchCommand({ DeliveryStreamName: "readings", Records }));

test("records are delivered to S3, joined, when the interval is over", async () => {
  const answer = await put([{ Data: bytes("a\n") }, { Data: bytes("b\n") }]);
  expect(answer).toMatchObject({ FailedPutCount: 0 });
  expect(answer.RequestResponses).toHaveLength(2);
  const port = awsStreams(cloud.client);
  expect(await port.put({ kind: "firehose", name: "readings" }, [{ data: bytes("c\n") }])).toEqual([{}]);
  await clock.runUntil(start + 59_000);
  expect(await delivered()).toEqual([]);
  await clock.runUntil(start + 60_000);
  expect(await delivered()).toEqual([
    {
      key: expect.stringMatching(/^raw\/2030\/06\/01\/10\/readings-1-2030-06-01-10-21-30-/),
      text: "a\nb\nc\n",
    },
  ]);
});

test("a full buffer is delivered at once", async () => {
  const before = (await delivered()).length;
  await put([{ Data: new Uint8Array(600_000) }, { Data: new Uint8Array(600_000) }]);
  await clock.runUntil(clock.now() + 1);
  expect(await delivered()).toHaveLength(before + 1);
});

test.each([
  ["501 records", Array.from({ length: 501 }, () => ({ Data: bytes("x") })), "500"],
  ["a record over 1,000 KiB", [{ Data: new Uint8Array(1000 * 1024 + 1) }], "1024000"],
  ["over 4 MiB", Array.from({ length: 5 }, () => ({ Data: new Uint8Array(1_000_000) })), "4194304"],
])("a batch with %s is refused whole", async (_, records, text) => {
  await expect(put(records)).rejects.toMatchObject({
    name: "InvalidArgumentException",
    message: expect.stringContaining(text),
  });
});

test("what is missing is refused by name; a stream tells where it delivers", async () => {
  await expect(
    firehose.send(new PutRecordCommand({ DeliveryStreamName: "none", Record: { Data: bytes("x") } })),
  ).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  const { DeliveryStreamDescription } = await firehose.send(
    new DescribeDeliveryStreamCommand({ DeliveryStreamName: "readings" }),
  );
  expect(DeliveryStreamDescription).toMatchObject({
    DeliveryStreamStatus: "ACTIVE",
    Destinations: [{ S3DestinationDescription: { BucketARN: "arn:aws:s3:::landing", Prefix: "raw/" } }],
  });
});

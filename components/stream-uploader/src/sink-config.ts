import { BucketName, KeyPrefix } from "@coalmine/contract";
import * as z from "zod";
import { wholeWithin, within } from "./within.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

/** When points that were collected are sent. What is absent is the component's own. */
const batching = {
  flushIntervalSeconds: within(1, 86_400).optional().describe("Of this sink; else the component's."),
  batchPointsMax: wholeWithin(500, 500_000).optional().describe("Of this sink; else the component's."),
  batchBytesMax: wholeWithin(65_536, 64 * MiB)
    .optional()
    .describe("Of this sink; else the component's."),
  windowSeconds: wholeWithin(0, 86_400)
    .default(0)
    .describe("Batches also end where the UTC clock passes a multiple of this; 0 for none."),
  catchUp: z
    .enum(["oldest-first", "newest-first"], "must be oldest-first or newest-first")
    .default("oldest-first")
    .describe("Of a backlog: its oldest part first; or its newest, with one batch in four from the oldest."),
};

const bucket = BucketName.optional().describe("Else the component's.");
/** @see https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html */
const requestRecordsMax = wholeWithin(1, 500).default(500).describe("Records of a request.");

export const Sink = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("s3-parquet").describe("Parquet objects in S3, exactly once."),
    ...batching,
    bucket,
    keyPrefix: KeyPrefix.optional().describe("Else the component's."),
  }),
  z.object({
    kind: z.literal("s3-json-lines").describe("Gzipped JSON lines in S3."),
    ...batching,
    bucket,
    keyPrefix: KeyPrefix.describe("Not the lake's: its readers expect Parquet below theirs."),
  }),
  z.object({
    kind: z.literal("kinesis").describe("A Kinesis stream; the partition key is the instrument."),
    ...batching,
    streamName: z
      .string()
      .regex(/^[a-zA-Z0-9_.-]{1,128}$/, "must be 1 to 128 of A-Z a-z 0-9 _ . -")
      .describe("In the device's region."),
    requestRecordsMax,
    requestBytesMax: wholeWithin(64 * KiB, 10 * MiB)
      .default(10 * MiB)
      .describe("Bytes of a request."),
    recordBytesMax: wholeWithin(4 * KiB, 10 * MiB)
      .default(MiB)
      .describe("Bytes of a record; above 1 MiB only where the stream is set to take them."),
  }),
  z.object({
    kind: z.literal("firehose").describe("A Firehose delivery stream."),
    ...batching,
    deliveryStreamName: z
      .string()
      .regex(/^[a-zA-Z0-9_.-]{1,64}$/, "must be 1 to 64 of A-Z a-z 0-9 _ . -")
      .describe("In the device's region."),
    /** @see https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html */
    requestRecordsMax,
    requestBytesMax: wholeWithin(64 * KiB, 4 * MiB)
      .default(4 * MiB)
      .describe("Bytes of a request."),
    recordBytesMax: wholeWithin(4 * KiB, 1000 * KiB)
      .default(1000 * KiB)
      .describe("Bytes of a record."),
  }),
  z.object({
    kind: z.literal("iot-core").describe("IoT Core over the core device's spooler, QoS 1: for a live view."),
    ...batching,
    topic: z
      .string()
      .regex(/^[^+#]{1,256}$/, "must be a topic of at most 256 bytes without + and #")
      .default("coalmine/{thing}/measurements")
      .describe(
        "`{thing}` is the thing's name; the device's policy allows what begins with `coalmine/{thing}/`.",
      ),
    /** @see https://docs.aws.amazon.com/general/latest/gr/iot-core.html#limits_iot */
    payloadBytesMax: wholeWithin(4 * KiB, 128 * KiB)
      .default(128 * KiB)
      .describe("Bytes of a message."),
  }),
  z.object({
    kind: z.literal("file").describe("Files in `exports/<sink>/` of the work folder."),
    ...batching,
    limitBytes: wholeWithin(MiB, 2 ** 40)
      .default(64 * MiB)
      .describe("All its files together; the oldest make room."),
  }),
]);
export type Sink = z.infer<typeof Sink>;

/** Each costs a cursor, a plan and a batch in memory. */
const SINKS_MAX = 8;

const NAME = /^[a-z0-9-]{1,32}$/;

export const Sinks = z
  .record(z.string(), Sink)
  .refine((sinks) => Object.keys(sinks).length >= 1 && Object.keys(sinks).length <= SINKS_MAX, {
    message: `there must be 1 to ${SINKS_MAX} sinks`,
  })
  .refine((sinks) => Object.keys(sinks).every((name) => NAME.test(name)), {
    message: "a sink's name must be 1 to 32 of a-z, 0-9 and '-'",
  });

/** What a sink takes over from the component. */
interface Shared {
  readonly bucket: string;
  readonly keyPrefix: string;
  readonly flushIntervalSeconds: number;
  readonly batchPointsMax: number;
  readonly batchBytesMax: number;
}
type Filled<Written> = Written extends Sink
  ? Omit<Written, keyof Shared> & Pick<Shared, keyof Written & keyof Shared>
  : never;
export type SinkSettings = Filled<Sink>;
export type SettingsOf<Kind extends Sink["kind"]> = Extract<SinkSettings, { kind: Kind }>;

export function resolveSink(sink: Sink, shared: Shared): SinkSettings {
  const { flushIntervalSeconds, batchPointsMax, batchBytesMax, bucket, keyPrefix } = shared;
  const own = Object.fromEntries(Object.entries(sink).filter(([, value]) => value !== undefined));
  const isInS3 = sink.kind === "s3-parquet" || sink.kind === "s3-json-lines";
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every key that was optional has its value now
  return {
    flushIntervalSeconds,
    batchPointsMax,
    batchBytesMax,
    ...(isInS3 ? { bucket, keyPrefix } : {}),
    ...own,
  } as SinkSettings;
}

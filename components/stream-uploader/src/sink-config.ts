import * as z from "zod";

const KiB = 1024;
const MiB = 1024 * KiB;

export const BucketName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "must be a bucket name: 3 to 63 of a-z, 0-9, '.' and '-'");
export const KeyPrefix = z
  .string()
  .regex(
    /^[A-Za-z0-9_.=-]+(\/[A-Za-z0-9_.=-]+)*$/,
    "must be path parts of A-Z a-z 0-9 _ . = -, joined by '/'",
  )
  .max(200);

/** When points that were collected are sent. What is absent is the component's own. */
const batching = {
  flushIntervalSeconds: z.number().min(1).max(86_400).optional(),
  batchPointsMax: z.int().min(500).max(500_000).optional(),
  batchBytesMax: z
    .int()
    .min(65_536)
    .max(64 * MiB)
    .optional(),
  /** Batches also end where the UTC clock passes a multiple of this; 0 for none. */
  windowSeconds: z.int().min(0).max(86_400).default(0),
  /** Of a backlog: its oldest part first; or its newest, with one batch in four from the oldest. */
  catchUp: z.enum(["oldest-first", "newest-first"]).default("oldest-first"),
};

const objects = { bucket: BucketName.optional(), keyPrefix: KeyPrefix.optional() };

export const Sink = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("s3-parquet"), ...batching, ...objects }),
  /** Gzipped; below `keyPrefix` of its own, since what reads the lake expects Parquet there. */
  z.object({ kind: z.literal("s3-json-lines"), ...batching, bucket: objects.bucket, keyPrefix: KeyPrefix }),
  z.object({
    kind: z.literal("kinesis"),
    ...batching,
    streamName: z.string().regex(/^[a-zA-Z0-9_.-]{1,128}$/, "must be 1 to 128 of A-Z a-z 0-9 _ . -"),
    /** @see https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html */
    requestRecordsMax: z.int().min(1).max(500).default(500),
    requestBytesMax: z
      .int()
      .min(64 * KiB)
      .max(10 * MiB)
      .default(10 * MiB),
    /** Up to 10 MiB where the stream itself is set to take them. */
    recordBytesMax: z
      .int()
      .min(4 * KiB)
      .max(10 * MiB)
      .default(MiB),
  }),
  z.object({
    kind: z.literal("firehose"),
    ...batching,
    deliveryStreamName: z.string().regex(/^[a-zA-Z0-9_.-]{1,64}$/, "must be 1 to 64 of A-Z a-z 0-9 _ . -"),
    /** @see https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html */
    requestRecordsMax: z.int().min(1).max(500).default(500),
    requestBytesMax: z
      .int()
      .min(64 * KiB)
      .max(4 * MiB)
      .default(4 * MiB),
    recordBytesMax: z
      .int()
      .min(4 * KiB)
      .max(1000 * KiB)
      .default(1000 * KiB),
  }),
  z.object({
    kind: z.literal("iot-core"),
    ...batching,
    /** `{thing}` stands for the thing's name; the device's policy allows what begins with `coalmine/{thing}/`. */
    topic: z
      .string()
      .regex(/^[^+#]{1,256}$/, "must be a topic of at most 256 bytes without + and #")
      .default("coalmine/{thing}/measurements"),
    /** @see https://docs.aws.amazon.com/general/latest/gr/iot-core.html#limits_iot */
    payloadBytesMax: z
      .int()
      .min(4 * KiB)
      .max(128 * KiB)
      .default(128 * KiB),
  }),
  z.object({
    kind: z.literal("file"),
    ...batching,
    /** All its files together; the oldest make room. They lie in the component's work folder, `exports/<sink>/`. */
    limitBytes: z
      .int()
      .min(MiB)
      .max(2 ** 40)
      .default(64 * MiB),
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

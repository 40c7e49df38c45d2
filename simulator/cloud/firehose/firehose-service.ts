import type { Clock, Instant, Log, Random } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import * as z from "zod";
import { ServiceError, type Input, type Output, type Place, type Service } from "../service.ts";
import type { Store, Table } from "../store/store.ts";
import { uuid } from "../uuid.ts";
import type { Column } from "../glue/glue-service.ts";
import { Conversion, convert, unsupported } from "./conversion.ts";
import { errorOutput, errorPrefixOf } from "./error-output.ts";
import { limits } from "./limits.ts";
import { prefixAt, prefixTrouble } from "./prefix.ts";

const streamName = /^[a-zA-Z0-9_.-]{1,64}$/;
const Records = z.array(z.object({ Data: z.instanceof(Uint8Array) }));
const Prefix = z.string().superRefine((prefix, context) => {
  const message = prefixTrouble(prefix);
  if (message !== undefined) context.addIssue({ code: "custom", message });
});
const Destination = z.object({
  BucketARN: z.string().startsWith("arn:aws:s3:::"),
  RoleARN: z.string(),
  Prefix: Prefix.default(""),
  ErrorOutputPrefix: Prefix.optional(),
  CompressionFormat: z.literal("UNCOMPRESSED", "objects are not compressed here").optional(),
  ProcessingConfiguration: z
    .object({ Enabled: z.literal(false, "records are not processed here").optional() })
    .optional(),
  DynamicPartitioningConfiguration: z
    .object({ Enabled: z.literal(false, "there is no dynamic partitioning here").optional() })
    .optional(),
  DataFormatConversionConfiguration: Conversion.optional(),
  BufferingHints: z
    .object({
      SizeInMBs: z.number().min(limits.buffer.sizeMiB.least).max(limits.buffer.sizeMiB.most).optional(),
      IntervalInSeconds: z
        .number()
        .min(limits.buffer.seconds.least)
        .max(limits.buffer.seconds.most)
        .optional(),
    })
    .prefault({}),
});

interface DeliveryStream {
  readonly name: string;
  readonly createdAt: number;
  readonly bucket: string;
  readonly prefix: string;
  readonly roleArn: string;
  readonly errorPrefix?: string | undefined;
  readonly conversion?: Conversion | undefined;
  readonly bufferBytes: number;
  readonly bufferMs: number;
  /** The number of the next record, and of the oldest that is not delivered. */
  readonly next: number;
  readonly first: number;
  readonly waitingBytes: number;
  /** When the oldest of them came; a state folder of former times does not know. */
  readonly waitingSince?: Instant | undefined;
}

export interface FirehoseOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly place: Place;
  readonly log: Log;
  /** Of a table in Glue's catalog. */
  readonly columnsOf: (databaseName: string, tableName: string) => readonly Column[] | undefined;
  readonly writeObject: (bucket: string, key: string, bytes: Uint8Array) => Promise<void>;
}

/** Data Firehose with direct put: buffers records and delivers them, joined, to S3. */
export class FirehoseService implements Service {
  readonly signingName = "firehose";
  readonly operations: Service["operations"];
  readonly #options: FirehoseOptions;
  readonly #streams: Table<DeliveryStream>;
  readonly #records: Table<string>;
  readonly #timers = new Map<string, { cancel(): void }>();

  constructor(options: FirehoseOptions) {
    this.#options = options;
    this.#streams = options.store.table("firehose/streams");
    this.#records = options.store.table("firehose/records");
    // What a stopped cloud had not delivered yet.
    for (const [, stream] of this.#streams.entries())
      if (stream.next > stream.first) this.#deliverLater(stream);
    this.operations = {
      CreateDeliveryStream: (input) => this.#create(input),
      DeleteDeliveryStream: (input) => this.#delete(this.#stream(input)),
      ListDeliveryStreams: () => ({
        DeliveryStreamNames: [...this.#streams.entries()].map(([name]) => name),
        HasMoreDeliveryStreams: false,
      }),
      DescribeDeliveryStream: (input) => ({
        DeliveryStreamDescription: this.#described(this.#stream(input)),
      }),
      PutRecord: (input) => ({ RecordId: this.#put(input, [input.Record])[0] }),
      PutRecordBatch: (input) => ({
        FailedPutCount: 0,
        Encrypted: false,
        RequestResponses: this.#put(input, input.Records).map((RecordId) => ({ RecordId })),
      }),
    };
  }

  /** Ends the timers; what waits is delivered by the next start. */
  stop(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #create(input: Input): Output {
    const name = String(input.DeliveryStreamName);
    if (!streamName.test(name))
      throw invalid(`Value '${name}' at 'deliveryStreamName' must match [a-zA-Z0-9_.-]{1,64}`);
    if (this.#streams.get(name) !== undefined)
      throw new ServiceError("ResourceInUseException", 400, `Firehose ${name} already exists`);
    const parsed = Destination.safeParse(
      input.ExtendedS3DestinationConfiguration ?? input.S3DestinationConfiguration,
    );
    if (!parsed.success)
      throw invalid(`Only an S3 destination is simulated: ${z.prettifyError(parsed.error)}`);
    const { BucketARN, Prefix, RoleARN, BufferingHints, ErrorOutputPrefix } = parsed.data;
    const asked = parsed.data.DataFormatConversionConfiguration;
    const conversion = asked?.Enabled === false ? undefined : asked;
    const usualMiB = this.#bufferMiB(conversion, BufferingHints.SizeInMBs);
    this.#streams.set(name, {
      name,
      createdAt: this.#options.clock.now(),
      bucket: BucketARN.slice("arn:aws:s3:::".length),
      prefix: Prefix,
      roleArn: RoleARN,
      errorPrefix: ErrorOutputPrefix,
      conversion,
      bufferBytes: (BufferingHints.SizeInMBs ?? usualMiB) * 2 ** 20,
      bufferMs: (BufferingHints.IntervalInSeconds ?? limits.buffer.seconds.usual) * 1000,
      next: 0,
      first: 0,
      waitingBytes: 0,
    });
    return { DeliveryStreamARN: this.#arn(name) };
  }

  /** What a buffer usually holds. @throws ServiceError where the conversion cannot be done. */
  #bufferMiB(conversion: Conversion | undefined, askedMiB: number | undefined): number {
    if (conversion === undefined) return limits.buffer.sizeMiB.usual;
    const { least, usual } = limits.conversionSizeMiB;
    if (askedMiB !== undefined && askedMiB < least)
      throw invalid(`SizeInMBs must be at least ${least} where the record format is converted.`);
    const { DatabaseName, TableName } = conversion.SchemaConfiguration;
    const columns = this.#options.columnsOf(DatabaseName, TableName);
    if (columns === undefined) throw invalid(`The table ${DatabaseName}.${TableName} is not found in Glue.`);
    const others = unsupported(columns);
    if (others.length > 0)
      throw invalid(`Columns of these types are not written here: ${others.join(", ")}.`);
    return usual;
  }

  #delete(stream: DeliveryStream): Output {
    this.#timers.get(stream.name)?.cancel();
    this.#timers.delete(stream.name);
    this.#forget(stream);
    this.#streams.delete(stream.name);
    return {};
  }

  #described(stream: DeliveryStream): object {
    const destination = {
      RoleARN: stream.roleArn,
      BucketARN: `arn:aws:s3:::${stream.bucket}`,
      Prefix: stream.prefix,
      ErrorOutputPrefix: stream.errorPrefix,
      BufferingHints: {
        SizeInMBs: stream.bufferBytes / 2 ** 20,
        IntervalInSeconds: stream.bufferMs / 1000,
      },
      CompressionFormat: "UNCOMPRESSED",
      EncryptionConfiguration: {},
    };
    return {
      DeliveryStreamName: stream.name,
      DeliveryStreamARN: this.#arn(stream.name),
      DeliveryStreamStatus: "ACTIVE",
      DeliveryStreamType: "DirectPut",
      VersionId: "1",
      CreateTimestamp: stream.createdAt,
      Destinations: [
        {
          DestinationId: "destinationId-000000000001",
          S3DestinationDescription: destination,
          ExtendedS3DestinationDescription: {
            ...destination,
            DataFormatConversionConfiguration: stream.conversion,
          },
        },
      ],
      HasMoreDestinations: false,
    };
  }

  #arn(name: string): string {
    const { region, accountId } = this.#options.place;
    return `arn:aws:firehose:${region}:${accountId}:deliverystream/${name}`;
  }

  #stream(input: Input): DeliveryStream {
    const name = String(input.DeliveryStreamName);
    const stream = this.#streams.get(name);
    if (stream === undefined)
      throw new ServiceError(
        "ResourceNotFoundException",
        400,
        `Firehose ${name} under account ${this.#options.place.accountId} not found.`,
      );
    return stream;
  }

  #put(input: Input, given: unknown): string[] {
    const stream = this.#stream(input);
    const records = Records.parse(given);
    if (records.length === 0 || records.length > limits.batchRecordsMax)
      throw invalid(
        `1 validation error detected: Value at 'records' failed to satisfy constraint: Member must have length less than or equal to ${limits.batchRecordsMax} and greater than or equal to 1`,
      );
    const bytes = records.reduce((sum, { Data }) => sum + Data.length, 0);
    const large = records.find(({ Data }) => Data.length > limits.recordBytesMax);
    if (large !== undefined)
      throw invalid(
        `Record size of ${large.Data.length} bytes exceeds the limit of ${limits.recordBytesMax} bytes`,
      );
    if (bytes > limits.batchBytesMax)
      throw invalid(`Records size of ${bytes} bytes exceeds the limit of ${limits.batchBytesMax} bytes`);
    const ids = records.map(({ Data }, at) => {
      this.#records.set(recordKey(stream.name, stream.next + at), Buffer.from(Data).toString("base64"));
      return uuid(this.#options.random);
    });
    const grown = {
      ...stream,
      next: stream.next + records.length,
      waitingBytes: stream.waitingBytes + bytes,
      waitingSince: stream.next === stream.first ? this.#options.clock.now() : stream.waitingSince,
    };
    this.#streams.set(stream.name, grown);
    this.#deliverLater(grown, grown.waitingBytes >= stream.bufferBytes ? 0 : stream.bufferMs);
    return ids;
  }

  /** At its interval, counted from the first record that waits; at once where the buffer is full. */
  #deliverLater(stream: DeliveryStream, inMs = stream.bufferMs): void {
    if (inMs > 0 && this.#timers.has(stream.name)) return;
    this.#timers.get(stream.name)?.cancel();
    const timer = this.#options.clock.timer(inMs, () => {
      this.#timers.delete(stream.name);
      this.#deliver(stream.name).catch((failure: unknown) =>
        this.#options.log.warn("a Firehose delivery failed; it will be tried again", {
          stream: stream.name,
          cause: messageOf(failure),
        }),
      );
    });
    this.#timers.set(stream.name, timer);
  }

  async #deliver(name: string): Promise<void> {
    const { store } = this.#options;
    const stream = this.#streams.get(name);
    if (stream === undefined || stream.next === stream.first) return;
    const parts = Array.from({ length: stream.next - stream.first }, (_, at) =>
      Buffer.from(this.#records.get(recordKey(name, stream.first + at)) ?? "", "base64"),
    );
    await this.#write(stream, parts);
    const now = this.#streams.get(name);
    if (now === undefined) return;
    this.#forget(stream);
    const left = now.next - stream.next;
    this.#streams.set(name, {
      ...now,
      first: stream.next,
      waitingBytes: now.waitingBytes - stream.waitingBytes,
      waitingSince: this.#options.clock.now(),
    });
    await store.commit();
    if (left > 0) this.#deliverLater(now);
  }

  async #write(stream: DeliveryStream, records: readonly Uint8Array[]): Promise<void> {
    const { conversion, bucket, prefix, errorPrefix } = stream;
    const { clock, columnsOf, place, writeObject } = this.#options;
    if (conversion === undefined)
      return writeObject(bucket, this.#key(stream, prefix), Buffer.concat(records));
    const { DatabaseName, TableName } = conversion.SchemaConfiguration;
    const { file, failed } = convert(records, columnsOf(DatabaseName, TableName), conversion);
    if (file !== undefined) await writeObject(bucket, `${this.#key(stream, prefix)}.parquet`, file);
    if (failed.length === 0) return;
    const errors = errorOutput(failed, conversion, place, clock.now());
    await writeObject(bucket, this.#key(stream, errorPrefixOf(prefix, errorPrefix)), errors);
  }

  #key({ name, waitingSince }: DeliveryStream, prefix: string): string {
    const { clock, random } = this.#options;
    const stamp = new Date(clock.now()).toISOString().slice(0, 19).replaceAll(/[T:]/g, "-");
    return `${prefixAt(prefix, waitingSince ?? clock.now())}${name}-1-${stamp}-${uuid(random)}`;
  }

  #forget(stream: DeliveryStream): void {
    for (let number = stream.first; number < stream.next; number++)
      this.#records.delete(recordKey(stream.name, number));
  }
}

function recordKey(stream: string, number: number): string {
  return `${stream}\n${String(number).padStart(15, "0")}`;
}

function invalid(message: string): ServiceError {
  return new ServiceError("InvalidArgumentException", 400, message);
}

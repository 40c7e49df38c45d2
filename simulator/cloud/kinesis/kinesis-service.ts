import type { Clock } from "@coalmine/ports";
import * as z from "zod";
import { ServiceError, type Input, type Output, type Place, type Service } from "../service.ts";
import type { Store } from "../store/store.ts";
import { limits } from "./limits.ts";
import { hashKeyRange, sequenceNumber, shardId, shardOf, type Stream, StreamStore } from "./stream-store.ts";

const streamName = /^[a-zA-Z0-9_.-]{1,128}$/;
const Entries = z.array(z.object({ Data: z.instanceof(Uint8Array), PartitionKey: z.string() }));
type Entry = z.infer<typeof Entries>[number];
const Iterator = z.tuple([z.string(), z.number(), z.number(), z.number()]);
const RETENTION_HOURS = 24;

/** Kinesis Data Streams: streams of a fixed number of shards; what is put can be read. */
export class KinesisService implements Service {
  readonly signingName = "kinesis";
  readonly operations: Service["operations"];
  readonly #store: StreamStore;
  readonly #clock: Clock;
  readonly #place: Place;

  constructor(options: { readonly store: Store; readonly clock: Clock; readonly place: Place }) {
    this.#store = new StreamStore(options.store);
    this.#clock = options.clock;
    this.#place = options.place;
    this.operations = {
      CreateStream: (input) => this.#createStream(input),
      DeleteStream: (input) => {
        this.#store.delete(this.#stream(input));
        return {};
      },
      ListStreams: () => ({
        StreamNames: [...this.#store.streams.entries()].map(([name]) => name),
        HasMoreStreams: false,
      }),
      DescribeStreamSummary: (input) => ({ StreamDescriptionSummary: this.#summary(this.#stream(input)) }),
      ListShards: (input) => this.#listShards(this.#stream(input)),
      PutRecord: (input) => this.#putRecord(input),
      PutRecords: (input) => this.#putRecords(input),
      GetShardIterator: (input) => this.#shardIterator(input),
      GetRecords: (input) => this.#getRecords(input),
    };
  }

  #createStream(input: Input): Output {
    const name = String(input.StreamName);
    const shards = Number(input.ShardCount ?? 1);
    if (!streamName.test(name))
      throw invalid(
        `Value '${name}' at 'streamName' must match [a-zA-Z0-9_.-]+ and have 1 to 128 characters`,
      );
    if (!Number.isInteger(shards) || shards < 1 || shards > limits.shardsMax)
      throw invalid(`shardCount must be from 1 to ${limits.shardsMax}`);
    if (this.#store.streams.get(name) !== undefined)
      throw new ServiceError(
        "ResourceInUseException",
        400,
        `Stream ${name} under account ${this.#place.accountId} already exists.`,
      );
    this.#store.streams.set(name, { name, shards, createdAt: this.#clock.now(), next: 0, first: 0 });
    return {};
  }

  #summary(stream: Stream): object {
    return {
      StreamName: stream.name,
      StreamARN: `arn:aws:kinesis:${this.#place.region}:${this.#place.accountId}:stream/${stream.name}`,
      StreamStatus: "ACTIVE",
      StreamModeDetails: { StreamMode: "PROVISIONED" },
      RetentionPeriodHours: RETENTION_HOURS,
      StreamCreationTimestamp: stream.createdAt,
      EnhancedMonitoring: [],
      OpenShardCount: stream.shards,
    };
  }

  #listShards(stream: Stream): Output {
    return {
      Shards: Array.from({ length: stream.shards }, (_, shard) => ({
        ShardId: shardId(shard),
        HashKeyRange: hashKeyRange(shard, stream.shards),
        SequenceNumberRange: { StartingSequenceNumber: sequenceNumber(0) },
      })),
    };
  }

  #stream(input: Input): Stream {
    const name = String(
      input.StreamName ??
        String(input.StreamARN ?? "")
          .split("stream/")
          .at(-1),
    );
    const stream = this.#store.streams.get(name);
    if (stream === undefined)
      throw new ServiceError(
        "ResourceNotFoundException",
        400,
        `Stream ${name} under account ${this.#place.accountId} not found.`,
      );
    return stream;
  }

  #putRecord(input: Input): Output {
    const [entry] = checked(Entries.parse([input]));
    const stream = this.#stream(input);
    return entry === undefined ? {} : this.#append(stream, entry);
  }

  #putRecords(input: Input): Output {
    const entries = Entries.parse(input.Records);
    if (entries.length === 0 || entries.length > limits.requestRecordsMax)
      throw invalid(
        `1 validation error detected: Value at 'records' failed to satisfy constraint: Member must have length less than or equal to ${limits.requestRecordsMax} and greater than or equal to 1`,
      );
    const { name } = this.#stream(input);
    const Records = checked(entries).map((entry) => this.#append(this.#stream({ StreamName: name }), entry));
    return { FailedRecordCount: 0, Records, EncryptionType: "NONE" };
  }

  #append(stream: Stream, { Data, PartitionKey }: Entry): { SequenceNumber: string; ShardId: string } {
    const shard = shardOf(PartitionKey, stream.shards);
    const number = this.#store.append(stream, {
      shard,
      partitionKey: PartitionKey,
      data: Buffer.from(Data).toString("base64"),
      arrivedAt: this.#clock.now(),
    });
    return { SequenceNumber: sequenceNumber(number), ShardId: shardId(shard) };
  }

  #shardIterator(input: Input): Output {
    const stream = this.#stream(input);
    const shard = Number(String(input.ShardId).replace("shardId-", ""));
    if (!Number.isInteger(shard) || shard < 0 || shard >= stream.shards)
      throw new ServiceError(
        "ResourceNotFoundException",
        400,
        `Shard ${String(input.ShardId)} in stream ${stream.name} under account ${this.#place.accountId} does not exist`,
      );
    const at = Number(String(input.StartingSequenceNumber ?? "0").slice(2));
    const starts: Record<string, number | undefined> = {
      TRIM_HORIZON: stream.first,
      LATEST: stream.next,
      AT_SEQUENCE_NUMBER: at,
      AFTER_SEQUENCE_NUMBER: at + 1,
    };
    const next = starts[String(input.ShardIteratorType)];
    if (next === undefined)
      throw invalid(`ShardIteratorType ${String(input.ShardIteratorType)} is not known`);
    return { ShardIterator: this.#iterator(stream, shard, next) };
  }

  #iterator(stream: Stream, shard: number, next: number): string {
    const parts = [stream.name, shard, next, this.#clock.now()];
    return Buffer.from(JSON.stringify(parts)).toString("base64");
  }

  #getRecords(input: Input): Output {
    const [name, shard, from, madeAt] = readIterator(String(input.ShardIterator));
    const stream = this.#stream({ StreamName: name });
    if (this.#clock.now() - madeAt > limits.iteratorMs)
      throw new ServiceError("ExpiredIteratorException", 400, "Iterator expired.");
    const max = Number(input.Limit ?? limits.getRecordsMax);
    if (!(max >= 1 && max <= limits.getRecordsMax))
      throw invalid(`Limit must be from 1 to ${limits.getRecordsMax}`);
    const Records: object[] = [];
    let next = Math.max(from, stream.first);
    for (let bytes = 0; next < stream.next && Records.length < max && bytes < limits.getBytesMax; next++) {
      const record = this.#store.record(stream, next);
      if (record?.shard !== shard) continue;
      const Data = Uint8Array.from(Buffer.from(record.data, "base64"));
      bytes += Data.length;
      Records.push({
        SequenceNumber: sequenceNumber(next),
        ApproximateArrivalTimestamp: record.arrivedAt,
        Data,
        PartitionKey: record.partitionKey,
      });
    }
    return { Records, NextShardIterator: this.#iterator(stream, shard, next), MillisBehindLatest: 0 };
  }
}

/** One record beyond its limits refuses the whole request. */
function checked(entries: readonly Entry[]): readonly Entry[] {
  let bytes = 0;
  for (const { Data, PartitionKey } of entries) {
    if (PartitionKey.length === 0 || PartitionKey.length > limits.partitionKeyCharactersMax)
      throw invalid(`PartitionKey must have 1 to ${limits.partitionKeyCharactersMax} characters`);
    const recordBytes = Data.length + Buffer.byteLength(PartitionKey, "utf8");
    if (recordBytes > limits.recordBytesMax)
      throw invalid(
        `Record size of ${recordBytes} bytes exceeds the limit of ${limits.recordBytesMax} bytes`,
      );
    bytes += recordBytes;
  }
  if (bytes > limits.requestBytesMax)
    throw invalid(`Records size of ${bytes} bytes exceeds the limit of ${limits.requestBytesMax} bytes`);
  return entries;
}

function readIterator(iterator: string): z.infer<typeof Iterator> {
  try {
    return Iterator.parse(JSON.parse(Buffer.from(iterator, "base64").toString("utf8")));
  } catch (cause) {
    throw new ServiceError(
      "InvalidArgumentException",
      400,
      `Invalid ShardIterator. ${String(cause).slice(0, 80)}`,
    );
  }
}

function invalid(message: string): ServiceError {
  return new ServiceError("ValidationException", 400, message);
}

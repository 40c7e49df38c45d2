import { createHash } from "node:crypto";
import type { Instant } from "@coalmine/ports";
import type { Store, Table } from "../store/store.ts";
import { limits } from "./limits.ts";

export interface Stream {
  readonly name: string;
  readonly createdAt: Instant;
  readonly shards: number;
  /** The number of the next record, and of the oldest that is kept. */
  readonly next: number;
  readonly first: number;
}

export interface KinesisRecord {
  readonly shard: number;
  readonly partitionKey: string;
  /** Base64. */
  readonly data: string;
  readonly arrivedAt: Instant;
}

const HASH_KEYS = 2n ** 128n;

/** The shard whose range of hash keys holds the MD5 of the partition key. */
export function shardOf(partitionKey: string, shards: number): number {
  const hash = BigInt(`0x${createHash("md5").update(partitionKey, "utf8").digest("hex")}`);
  return Number((hash * BigInt(shards)) / HASH_KEYS);
}

export function hashKeyRange(
  shard: number,
  shards: number,
): { StartingHashKey: string; EndingHashKey: string } {
  const border = (at: number): bigint => (BigInt(at) * HASH_KEYS + BigInt(shards) - 1n) / BigInt(shards);
  return { StartingHashKey: String(border(shard)), EndingHashKey: String(border(shard + 1) - 1n) };
}

export const shardId = (shard: number): string => `shardId-${String(shard).padStart(12, "0")}`;
/** Sequence numbers grow within a stream, and so within a shard. */
export const sequenceNumber = (number: number): string => `49${String(number).padStart(54, "0")}`;

/** Streams, and their records one row each, numbered through all shards. */
export class StreamStore {
  readonly streams: Table<Stream>;
  readonly #records: Table<KinesisRecord>;

  constructor(store: Store) {
    this.streams = store.table("kinesis/streams");
    this.#records = store.table("kinesis/records");
  }

  /** Gives the record's number. */
  append(stream: Stream, record: KinesisRecord): number {
    const number = stream.next;
    this.#records.set(recordKey(stream.name, number), record);
    let { first } = stream;
    for (; number + 1 - first > limits.streamRecordsMax; first++)
      this.#records.delete(recordKey(stream.name, first));
    this.streams.set(stream.name, { ...stream, first, next: number + 1 });
    return number;
  }

  record(stream: Stream, number: number): KinesisRecord | undefined {
    return this.#records.get(recordKey(stream.name, number));
  }

  delete(stream: Stream): void {
    for (let number = stream.first; number < stream.next; number++)
      this.#records.delete(recordKey(stream.name, number));
    this.streams.delete(stream.name);
  }
}

function recordKey(stream: string, number: number): string {
  return `${stream}\n${String(number).padStart(15, "0")}`;
}

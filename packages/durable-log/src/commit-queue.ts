import type { Crypto, Instant } from "@coalmine/ports";
import { Batch, type Waiter } from "./batch.ts";
import { frameBytes } from "./frame.ts";
import { SEGMENT_HEADER_BYTES } from "./segment.ts";

/** Payload bytes that may wait for the disk; beyond it `append` refuses at once. */
export const QUEUE_BYTES_MAX = 16 * 1024 * 1024;
/** Bytes of one commit: 1 MiB pays for its sync about as well as more would, and bounds memory. */
const COMMIT_BYTES_MAX = 1024 * 1024;
/** A batch of this share of a commit is worth a write of its own while the one before is being synced. */
const AHEAD_SHARE = 3 / 4;

/** Whether a batch will hardly grow any more. */
export function isLarge(batch: Batch): boolean {
  return batch.lengthBytes >= COMMIT_BYTES_MAX * AHEAD_SHARE;
}

/** What waits for the disk, cut into commits and framed for the place where each will most likely go. */
export class CommitQueue {
  readonly #crypto: Pick<Crypto, "crc32">;
  readonly #batches: Batch[] = [];
  /** The batch that was made last, queued or not: the next one most likely follows it. */
  #newest: Batch | undefined;
  #spare: Uint8Array<ArrayBuffer> | undefined;
  #waitingBytes = 0;

  constructor(crypto: Pick<Crypto, "crc32">) {
    this.#crypto = crypto;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  /** `start` is where a batch goes that has nothing in front of it; `overheadBytes` is what encryption adds a record. */
  add(
    payload: Uint8Array,
    timeMs: Instant,
    waiter: Waiter,
    start: { readonly first: number; readonly position: number },
    segment: { readonly sizeBytes: number; readonly overheadBytes: number },
  ): void {
    const room = Math.min(COMMIT_BYTES_MAX, segment.sizeBytes - SEGMENT_HEADER_BYTES);
    const more = frameBytes(payload.length) + segment.overheadBytes;
    let batch = this.#batches.at(-1);
    const taken = batch === undefined ? 0 : batch.lengthBytes + batch.waiters.length * segment.overheadBytes;
    if (batch === undefined || taken + more > room) {
      const before = this.#newest;
      batch = new Batch(before?.next ?? start.first, before?.end ?? start.position, this.#spare);
      this.#spare = undefined;
      this.#batches.push(batch);
      this.#newest = batch;
    }
    // A commit is not split where a segment ends: all of it goes into the next one.
    if (batch.end + more > segment.sizeBytes) batch.position = SEGMENT_HEADER_BYTES;
    batch.add(payload, timeMs, waiter, this.#crypto);
    this.#waitingBytes += payload.length;
  }

  take(): Batch | undefined {
    const batch = this.#batches.shift();
    if (batch !== undefined) this.#waitingBytes -= batch.payloadBytes;
    return batch;
  }

  /** The next batch where it will hardly grow any more, else undefined. It stays queued. */
  get full(): Batch | undefined {
    const [next, behind] = this.#batches;
    return next !== undefined && (behind !== undefined || isLarge(next)) ? next : undefined;
  }

  /** A batch is done with: its buffer serves again, and where nothing waits the next place is known for sure. */
  settle(batch: Batch): void {
    if (batch.buffer.length <= COMMIT_BYTES_MAX) this.#spare = batch.buffer;
    if (this.#newest === batch) this.#newest = undefined;
  }

  /** Puts a batch back that was taken too early. */
  untake(batch: Batch): void {
    this.#batches.unshift(batch);
    this.#waitingBytes += batch.payloadBytes;
  }
}

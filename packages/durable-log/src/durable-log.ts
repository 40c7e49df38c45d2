import type { Clock, Crypto, Files } from "@coalmine/ports";
import { Cursor } from "./cursor.ts";
import { frameBytes, type Gap, type LogRecord, scanFrames } from "./frame.ts";
import {
  fileErrorCode,
  LogBusyError,
  LogClosedError,
  LogFullError,
  LogUnwritableError,
  RecordTooLargeError,
} from "./log-error.ts";
import { recover, type Recovered, type SegmentInfo } from "./recover.ts";
import { ActiveSegment, SEGMENT_HEADER_BYTES, segmentName } from "./segment.ts";

export interface DurableLogOptions {
  readonly files: Files;
  readonly clock: Pick<Clock, "now">;
  readonly crypto: Crypto;
  /** The log's own folder, inside the work folder. */
  readonly folder: string;
  /** A segment is sealed before it grows beyond this. 1 MiB by default. */
  readonly segmentBytes?: number;
  /** All segments together; 1 GiB by default. */
  readonly capBytes?: number;
  /** At the cap, and when the disk is full: refuse new records, or give up the oldest. */
  readonly whenFull?: "reject" | "overwrite-oldest";
  /** Told of records that were given up. */
  readonly onOverwritten?: (lost: Gap) => void;
}

/** Payload bytes that may wait for the disk; beyond it `append` refuses at once. */
const QUEUE_BYTES_MAX = 16 * 1024 * 1024;
/** Payload bytes of one commit: 1 MiB pays for its sync about as well as more would, and bounds memory. */
const COMMIT_BYTES_MAX = 1024 * 1024;
/** New segments tried for one commit before its records are refused. */
const ATTEMPTS_MAX = 3;
/** A segment that no reader needs is given up early only when that frees this share of a segment. */
const EARLY_ROLL_SHARE = 1 / 16;

interface Waiting {
  readonly payload: Uint8Array;
  readonly timeMs: number;
  readonly stored: (sequence: number) => void;
  readonly refused: (failure: Error) => void;
}

/** Part of a read: records and gaps in order, of one segment. `next` is the first number behind it. */
export interface Chunk {
  readonly records: readonly LogRecord[];
  readonly gaps: readonly Gap[];
  readonly next: number;
}

/**
 * An append-only log of records with consecutive numbers, in segments. `append` resolves when the record is durable;
 * records that arrive while the disk is busy share the next sync. There is one writer. docs/spec/durable-log.md.
 */
export class DurableLog {
  readonly epoch: string;
  readonly recovered: Recovered;
  readonly #options: Required<Omit<DurableLogOptions, "onOverwritten">> &
    Pick<DurableLogOptions, "onOverwritten">;
  readonly #segments: SegmentInfo[];
  readonly #cursors: Map<string, Cursor>;
  #active: ActiveSegment | undefined;
  #next: number;
  #bytes: number;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #isFlushing = false;
  #isClosed = false;
  /** The end of the last task that changes the folder: they never overlap. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Where reading ended last, so that reading on does not scan the segment from its start. */
  #hint: { first: number; sequence: number; position: number } | undefined;

  private constructor(options: DurableLogOptions, recovered: Recovered) {
    this.#options = { segmentBytes: 2 ** 20, capBytes: 2 ** 30, whenFull: "reject", ...options };
    this.recovered = recovered;
    this.epoch = recovered.epoch;
    this.#segments = recovered.segments;
    this.#cursors = recovered.cursors;
    this.#active = recovered.active;
    this.#next = recovered.next;
    this.#bytes = recovered.segments.reduce((sum, segment) => sum + segment.sizeBytes, 0);
  }

  /** Opens or makes the log. Whatever a crash or damage left, it opens; `recovered` tells what was found. */
  static async open(options: DurableLogOptions): Promise<DurableLog> {
    return new DurableLog(options, await recover(options.files, options.folder, options.crypto));
  }

  /** The oldest number that may still be read. */
  get first(): number {
    return this.#segments[0]?.first ?? this.#next;
  }

  /** The newest durable number; `first − 1` where the log is empty. */
  get last(): number {
    return this.#next - 1;
  }

  get sizeBytes(): number {
    return this.#bytes;
  }

  /** Changes cap and policy from now on. */
  configure(change: { readonly capBytes: number; readonly whenFull: "reject" | "overwrite-oldest" }): void {
    Object.assign(this.#options, change);
  }

  /** Resolves to the record's number when it is durable. Rejects, having stored nothing that will be read, with a log error. */
  append(payload: Uint8Array): Promise<number> {
    return new Promise((stored, refused) => {
      const room = this.#options.segmentBytes - SEGMENT_HEADER_BYTES;
      if (this.#isClosed) refused(new LogClosedError("the log is closed: nothing can be appended"));
      else if (frameBytes(payload.length) > room)
        refused(
          new RecordTooLargeError(
            `a record of ${payload.length} bytes does not fit a segment of ${room}: write smaller records`,
          ),
        );
      else if (this.#waitingBytes + payload.length > QUEUE_BYTES_MAX)
        refused(
          new LogBusyError(
            `${this.#waitingBytes} bytes wait for the disk, ${QUEUE_BYTES_MAX} may: append more slowly`,
          ),
        );
      else {
        this.#waiting.push({ payload, timeMs: this.#options.clock.now(), stored, refused });
        this.#waitingBytes += payload.length;
        if (!this.#isFlushing) {
          this.#isFlushing = true;
          void this.#inTurn(() => this.#flush());
        }
      }
    });
  }

  /** The cursor of this name, made where it is missing. A new one stands before the oldest record. */
  async cursor(name: string): Promise<Cursor> {
    const existing = this.#cursors.get(name);
    if (existing !== undefined) return existing;
    const { files, folder, crypto } = this.#options;
    const cursor = await Cursor.open(files, folder, name, crypto);
    cursor.enter(this.epoch);
    this.#cursors.set(name, cursor);
    return cursor;
  }

  /** Reads `from` to `to`, both included, segment by segment. What is missing is told as gaps. */
  async *read(from: number, to = this.last): AsyncGenerator<Chunk, void> {
    let next = from;
    if (next < this.first && next <= to) {
      const upTo = Math.min(to, this.first - 1);
      yield { records: [], gaps: [{ first: next, last: upTo }], next: upTo + 1 };
      next = upTo + 1;
    }
    while (next <= Math.min(to, this.last)) {
      const chunk = await this.#readSegment(next, Math.min(to, this.last));
      next = chunk.next;
      yield chunk;
    }
  }

  /** Removes the segments that every cursor has passed; resolves to their bytes. Cursors are durable by then. */
  free(): Promise<number> {
    return this.#inTurn(async () => {
      if (this.#cursors.size === 0) return 0;
      const done = Math.min(...[...this.#cursors.values()].map((cursor) => cursor.done));
      const before = this.#bytes;
      await this.#removePassed(done);
      const worthRolling = this.#options.segmentBytes * EARLY_ROLL_SHARE;
      if (done >= this.last && (this.#segments.at(-1)?.sizeBytes ?? 0) > worthRolling) {
        // On a full disk there may be no room for a new segment: then the old one stays.
        await this.#roll().catch(() => this.#poison());
        await this.#removePassed(done);
      }
      if (this.#bytes < before) await this.#options.files.syncFolder(this.#options.folder);
      return before - this.#bytes;
    });
  }

  /** Stores what waits, then closes every file. */
  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#isFlushing) await this.#inTurn(() => Promise.resolve());
    await this.#inTurn(async () => {
      await this.#active?.file.close();
      for (const cursor of this.#cursors.values()) await cursor.close();
    });
  }

  #inTurn<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(task);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** One commit. What arrived meanwhile takes the next turn, so that freeing gets its turn too. */
  async #flush(): Promise<void> {
    const batch = this.#takeBatch();
    const records = batch.map(({ payload, timeMs }, index) => ({
      sequence: this.#next + index,
      timeMs,
      payload,
    }));
    try {
      await this.#commit(records);
      this.#next += records.length;
      for (const [index, waiting] of batch.entries()) waiting.stored(this.#next - records.length + index);
    } catch (failure) {
      const reason = failure instanceof Error ? failure : new Error(String(failure));
      for (const waiting of batch) waiting.refused(reason);
    }
    this.#isFlushing = this.#waiting.length > 0;
    if (this.#isFlushing) void this.#inTurn(() => this.#flush());
  }

  /** What fits one commit and one segment, at least one record. */
  #takeBatch(): Waiting[] {
    const room = Math.min(COMMIT_BYTES_MAX, this.#options.segmentBytes - SEGMENT_HEADER_BYTES);
    let count = 0;
    for (let bytes = 0; count < this.#waiting.length; count++) {
      bytes += frameBytes(this.#waiting[count]?.payload.length ?? 0);
      if (bytes > room && count > 0) break;
    }
    const batch = this.#waiting.splice(0, count);
    for (const { payload } of batch) this.#waitingBytes -= payload.length;
    return batch;
  }

  async #commit(records: readonly LogRecord[]): Promise<void> {
    const lengthBytes = records.reduce((sum, record) => sum + frameBytes(record.payload.length), 0);
    let attempts = 0;
    for (;;) {
      try {
        await this.#makeRoom(lengthBytes);
        if (this.#active === undefined || this.#active.sizeBytes + lengthBytes > this.#options.segmentBytes)
          await this.#roll();
        const active = this.#active;
        await active?.commit(records, lengthBytes);
        this.#grow(lengthBytes);
        return;
      } catch (failure) {
        if (failure instanceof LogFullError) throw failure;
        // After a failed write or sync the file may hold anything, and syncing again would prove nothing.
        await this.#poison();
        if (fileErrorCode(failure) === "ENOSPC") {
          if (this.#options.whenFull === "overwrite-oldest" && (await this.#giveUpOldest())) continue;
          throw new LogFullError("the disk is full: free space, or lower the log's cap", { cause: failure });
        }
        if (++attempts >= ATTEMPTS_MAX)
          throw new LogUnwritableError(
            `the disk refused to store ${records.length} records ${attempts} times: check the disk`,
            { cause: failure },
          );
      }
    }
  }

  async #makeRoom(lengthBytes: number): Promise<void> {
    const { capBytes, whenFull } = this.#options;
    while (this.#bytes + lengthBytes > capBytes) {
      if (whenFull === "reject" || !(await this.#giveUpOldest()))
        throw new LogFullError(
          `the log holds ${this.#bytes} of ${capBytes} bytes: wait until its readers are done with some, or raise the cap`,
        );
    }
  }

  /** Removes the oldest segment although a reader may want it. False where only an empty one is left. */
  async #giveUpOldest(): Promise<boolean> {
    if (this.#segments.length === 1) {
      if (this.last < this.first || this.#active === undefined) return false;
      await this.#roll();
    }
    const oldest = this.#segments[0];
    const second = this.#segments[1];
    if (oldest === undefined || second === undefined) return false;
    await this.#removeOldest();
    await this.#options.files.syncFolder(this.#options.folder);
    this.#options.onOverwritten?.({ first: oldest.first, last: second.first - 1 });
    return true;
  }

  /** The last segment stays: its name and header hold number and epoch. */
  async #removePassed(done: number): Promise<void> {
    while (this.#segments.length > 1 && (this.#segments[1]?.first ?? 0) - 1 <= done)
      await this.#removeOldest();
  }

  async #removeOldest(): Promise<void> {
    const oldest = this.#segments[0];
    if (oldest === undefined) return;
    await this.#options.files.remove(this.#path(oldest.first));
    this.#segments.shift();
    this.#bytes -= oldest.sizeBytes;
  }

  /** Seals the segment being written, if there is one, and starts the next. */
  async #roll(): Promise<void> {
    const { files, folder, clock, crypto } = this.#options;
    const old = this.#active;
    if (old !== undefined) {
      this.#active = undefined;
      const before = old.sizeBytes;
      try {
        await old.seal(this.#next, clock.now(), this.epoch);
        this.#grow(old.sizeBytes - before);
      } finally {
        await old.file.close();
      }
    }
    this.#active = await ActiveSegment.create(files, folder, this.#next, this.epoch, clock.now(), crypto);
    // A poisoned segment without records had the same name, and was replaced.
    if (this.#segments.at(-1)?.first === this.#next) this.#bytes -= this.#segments.pop()?.sizeBytes ?? 0;
    this.#segments.push({ first: this.#next, sizeBytes: 0 });
    this.#grow(SEGMENT_HEADER_BYTES);
  }

  async #poison(): Promise<void> {
    const poisoned = this.#active;
    this.#active = undefined;
    await poisoned?.file.close().catch(() => undefined);
  }

  #grow(bytes: number): void {
    const last = this.#segments.at(-1);
    if (last !== undefined) last.sizeBytes += bytes;
    this.#bytes += bytes;
  }

  async #readSegment(next: number, to: number): Promise<Chunk> {
    const index = this.#segments.findLastIndex((segment) => segment.first <= next);
    const segment = this.#segments[index];
    const below = this.#segments[index + 1]?.first ?? this.#next;
    const last = Math.min(to, below - 1);
    const allMissing = { records: [], gaps: [{ first: next, last }], next: last + 1 };
    // It may have been given up since the read began.
    if (segment === undefined)
      return { ...allMissing, next: this.first, gaps: [{ first: next, last: this.first - 1 }] };
    const hint = this.#hint;
    const canGoOn = hint?.first === segment.first && hint.sequence === next;
    const position = canGoOn ? hint.position : SEGMENT_HEADER_BYTES;
    const expected = canGoOn ? next : segment.first;
    const sizeBytes = segment.sizeBytes;
    let bytes: Uint8Array;
    try {
      const file = await this.#options.files.open(this.#path(segment.first), "read");
      bytes = await file.read(position, sizeBytes - position);
      await file.close();
    } catch (failure) {
      if (fileErrorCode(failure) === "ENOENT") return allMissing;
      throw failure;
    }
    const scan = scanFrames(bytes, position, { next: expected, below, last }, this.#options.crypto);
    this.#hint = { first: segment.first, sequence: scan.next, position: scan.end };
    const gaps = scan.gaps
      .filter((gap) => gap.last >= next)
      .map((gap) => ({ first: Math.max(gap.first, next), last: Math.min(gap.last, last) }));
    if (scan.next <= last) gaps.push({ first: Math.max(scan.next, next), last });
    const records = scan.records.filter((record) => record.sequence >= next && record.sequence <= last);
    return { records, gaps, next: last + 1 };
  }

  #path(first: number): string {
    return `${this.#options.folder}/${segmentName(first)}`;
  }
}

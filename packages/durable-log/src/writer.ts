import type { Batch } from "./batch.ts";
import { CommitQueue, isLarge, QUEUE_BYTES_MAX } from "./commit-queue.ts";
import { frameBytes } from "./frame.ts";
import {
  fileErrorCode,
  LogBusyError,
  LogClosedError,
  LogFullError,
  LogUnwritableError,
  RecordTooLargeError,
} from "./log-error.ts";
import type { OpenOptions } from "./options.ts";
import type { Retention } from "./retention.ts";
import { ActiveSegment, SEGMENT_HEADER_BYTES, type SegmentPlace } from "./segment.ts";
import { newCipher, TAG_BYTES } from "./segment-cipher.ts";
import type { Segments } from "./segments.ts";
import type { Turns } from "./turns.ts";

/** New segments tried for one commit before its records are refused. */
const ATTEMPTS_MAX = 3;
/** Commits in a row before freeing and reading cursors get their turn. */
const COMMITS_A_TURN = 32;

export interface WriterParts {
  readonly place: SegmentPlace;
  readonly segments: Segments;
  readonly options: OpenOptions;
  readonly turns: Turns;
  readonly active: ActiveSegment | undefined;
  /** The number of the next record. */
  readonly next: number;
  readonly retention: () => Pick<Retention, "makeRoom" | "giveUp">;
}

/** The log's one writer: queues records, commits them in groups, rolls segments, and survives a disk that fails. */
export class LogWriter {
  readonly #parts: WriterParts;
  readonly #queue: CommitQueue;
  #active: ActiveSegment | undefined;
  #next: number;
  #isFlushing = false;
  #isClosed = false;

  constructor(parts: WriterParts) {
    this.#parts = parts;
    this.#active = parts.active;
    this.#next = parts.next;
    this.#queue = new CommitQueue(parts.place.crypto);
  }

  get next(): number {
    return this.#next;
  }

  /** As `DurableLog.append` says. */
  append(payload: Uint8Array): Promise<number> {
    return new Promise((stored, refused) => {
      const { segmentBytes, clock, keys } = this.#parts.options;
      const overheadBytes = keys.current === undefined ? 0 : TAG_BYTES;
      const room = segmentBytes - SEGMENT_HEADER_BYTES - overheadBytes;
      if (this.#isClosed) refused(new LogClosedError("the log is closed: nothing can be appended"));
      else if (frameBytes(payload.length) > room)
        refused(
          new RecordTooLargeError(
            `a record of ${payload.length} bytes does not fit a segment of ${room}: write smaller records`,
          ),
        );
      else if (this.#queue.waitingBytes + payload.length > QUEUE_BYTES_MAX)
        refused(
          new LogBusyError(
            `${this.#queue.waitingBytes} bytes wait for the disk, ${QUEUE_BYTES_MAX} may: append more slowly`,
          ),
        );
      else {
        const start = { first: this.#next, position: this.#active?.sizeBytes ?? SEGMENT_HEADER_BYTES };
        const waiter = { stored, refused };
        this.#queue.add(payload, clock.now(), waiter, start, { sizeBytes: segmentBytes, overheadBytes });
        if (!this.#isFlushing) {
          this.#isFlushing = true;
          void this.#parts.turns.take(() => this.#flush());
        }
      }
    });
  }

  /** Seals the segment being written where it holds records and is old enough. */
  async sealByAge(): Promise<void> {
    const active = this.#active;
    if (active !== undefined && this.#isOld(active) && this.#next > active.first) await this.#seal();
  }

  /** Takes nothing more, stores what waits, and closes the segment. */
  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#isFlushing) await this.#parts.turns.take(() => Promise.resolve());
    await this.#parts.turns.take(async () => this.#active?.file.close());
  }

  /**
   * Commits until nothing waits. While one commit is synced the next is written already, and whoever awaited a commit
   * is told while the sync of the one behind it runs: then producers and disk work at the same time.
   */
  async #flush(): Promise<void> {
    let untold: Batch | undefined;
    let ahead: Batch | undefined;
    for (let commits = 0; ; commits++) {
      const batch: Batch | undefined = ahead ?? (commits < COMMITS_A_TURN ? this.#queue.take() : undefined);
      if (batch === undefined) break;
      const isWritten = ahead !== undefined;
      ahead = undefined;
      try {
        // Up to its first wait this starts the sync of what is written.
        const committing = this.#commit(batch, isWritten, commits < COMMITS_A_TURN - 1);
        if (untold !== undefined) tell(untold);
        untold = undefined;
        ahead = await committing;
        this.#next = batch.next;
        this.#queue.settle(batch);
        if (ahead === undefined) tell(batch);
        else untold = batch;
      } catch (failure) {
        this.#queue.settle(batch);
        const reason = failure instanceof Error ? failure : new Error(String(failure));
        for (const { refused } of batch.waiters) refused(reason);
      }
    }
    if (untold !== undefined) tell(untold);
    // What arrived meanwhile takes the next turn, so that freeing gets its turn too.
    this.#isFlushing = !this.#queue.isEmpty;
    if (this.#isFlushing) void this.#parts.turns.take(() => this.#flush());
  }

  /** Makes a batch durable; resolves to the next one where that may be, and was, written meanwhile. */
  async #commit(batch: Batch, isWritten: boolean, mayWriteAhead: boolean): Promise<Batch | undefined> {
    let needsWriting = !isWritten;
    for (let attempts = 0; ;) {
      try {
        if (needsWriting && (await this.#write(batch))) return undefined;
        needsWriting = true;
        return await this.#sync(batch, mayWriteAhead);
      } catch (failure) {
        if (failure instanceof LogFullError) throw failure;
        // After a failed write or sync the file may hold anything, and syncing again would prove nothing.
        await this.#poison();
        if (fileErrorCode(failure) === "ENOSPC") {
          const gaveUp = await this.#parts.retention().giveUp().catch(isFileError);
          if (gaveUp) continue;
          throw new LogFullError("the disk is full: free space, or lower the log's cap", { cause: failure });
        }
        if (++attempts >= ATTEMPTS_MAX)
          throw new LogUnwritableError(
            `the disk refused to store ${batch.waiters.length} records ${attempts} times: check the disk`,
            { cause: failure },
          );
      }
    }
  }

  /** Writes a batch where it belongs. True where it is durable by then: with the segment that it started, or by itself. */
  async #write(batch: Batch): Promise<boolean> {
    const { keys, segmentBytes, crypto } = this.#parts.options;
    await this.#parts.retention().makeRoom(batch.lengthBytes);
    const active = this.#active;
    if (
      active === undefined ||
      active.sizeBytes + batch.sizeBytes(active.cipher) > segmentBytes ||
      active.cipher?.keyId !== keys.current ||
      this.#isOld(active)
    ) {
      await this.roll(batch);
      return true;
    }
    const bytes = batch.framed(this.#next, active.sizeBytes, crypto, active.cipher);
    // Behind a large one the next is written while it is synced; a small one has nothing behind it, and goes at once.
    if (isLarge(batch)) {
      await active.file.write(active.sizeBytes, bytes);
      return false;
    }
    await active.file.writeDurably(active.sizeBytes, bytes);
    this.#grow(active, batch);
    return true;
  }

  async #sync(batch: Batch, mayWriteAhead: boolean): Promise<Batch | undefined> {
    const active = this.#active;
    if (active === undefined) throw new Error("a batch was written to no segment");
    const syncing = active.file.sync();
    const grown = batch.sizeBytes(active.cipher);
    const ahead = mayWriteAhead ? this.#takeAhead(active, grown) : undefined;
    if (ahead === undefined) {
      await syncing;
      this.#grow(active, batch);
      return undefined;
    }
    const position = active.sizeBytes + grown;
    const bytes = ahead.framed(batch.next, position, this.#parts.options.crypto, active.cipher);
    const [synced, written] = await Promise.allSettled([syncing, active.file.write(position, bytes)]);
    if (synced.status === "fulfilled") {
      this.#grow(active, batch);
      if (written.status === "fulfilled") return ahead;
    }
    this.#queue.untake(ahead);
    if (synced.status === "rejected") throw synced.reason;
    await this.#poison();
    return undefined;
  }

  /** The next batch, where it is full, and the active segment and the cap have room for it. */
  #takeAhead(active: ActiveSegment, grown: number): Batch | undefined {
    const { segmentBytes, capBytes } = this.#parts.options;
    const { full } = this.#queue;
    if (full === undefined) return undefined;
    const more = grown + full.sizeBytes(active.cipher);
    const fits = active.sizeBytes + more <= segmentBytes && this.#parts.segments.bytes + more <= capBytes;
    return fits ? this.#queue.take() : undefined;
  }

  #grow(active: ActiveSegment, batch: Batch): void {
    const bytes = batch.sizeBytes(active.cipher);
    active.sizeBytes += bytes;
    this.#parts.segments.grow(bytes, batch.newestMs);
  }

  #isOld(active: ActiveSegment): boolean {
    return this.#parts.options.clock.now() - active.createdMs >= this.#parts.options.sealAfterMs;
  }

  /** Seals the segment being written, if there is one, and starts the next, with its first records where it has some. */
  async roll(batch?: Batch): Promise<void> {
    const { place, segments, options } = this.#parts;
    await this.#seal();
    const cipher = newCipher(options.keys, place.crypto, place.epoch, this.#next);
    const active = await ActiveSegment.create(place, this.#next, options.clock.now(), cipher, batch);
    this.#active = active;
    segments.start(this.#next, active.sizeBytes);
    if (batch !== undefined) segments.grow(0, batch.newestMs);
  }

  async #seal(): Promise<void> {
    const { place, segments, options } = this.#parts;
    const old = this.#active;
    if (old === undefined) return;
    this.#active = undefined;
    try {
      segments.grow(await old.seal(this.#next, options.clock.now(), place));
    } finally {
      await old.file.close();
    }
  }

  async #poison(): Promise<void> {
    const poisoned = this.#active;
    this.#active = undefined;
    await poisoned?.file.close().catch(() => undefined);
  }
}

/** Where room could not be made because the disk refuses that too, the full disk is what to tell of. */
function isFileError(failure: unknown): false {
  if (fileErrorCode(failure) === undefined) throw failure;
  return false;
}

function tell(batch: Batch): void {
  for (let at = 0; at < batch.waiters.length; at++) batch.waiters[at]?.stored(batch.first + at);
}

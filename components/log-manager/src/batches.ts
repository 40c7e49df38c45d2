import { EVENT_OVERHEAD_BYTES, utf8Bytes } from "./log-event.ts";
import type { FollowedFile } from "./followed-file.ts";

/** @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html */
export const BATCH_BYTES_MAX = 1_048_576;
export const BATCH_EVENTS_MAX = 10_000;

export const DAY_MS = 24 * 3_600_000;

export type RejectCause = "tooOld" | "tooNew" | "expired" | "invalid";

/** One event as it goes out, and where it came from. */
export interface Outgoing {
  readonly timestampMs: number;
  /** It is not the one that the line states: the clock was set since. */
  readonly isCorrected: boolean;
  readonly message: string;
  /** Lines that are accounted for with it; a long event's first part carries them all. */
  readonly lines: number;
  /** The file's name for its events, and where in it this one begins: what `eid` is made of. */
  readonly id: string;
  readonly offset: number;
}

/** How far a batch brings a file, with the bytes before that place. */
export interface Advance {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly end: number;
  readonly isMidLine: boolean;
}

/**
 * What is put together, and how far it brings each file. It holds what follows itself in the files without a gap, so that
 * its acknowledgement is good for everything before: one day of events (a stream's name has it), as many as fit into one
 * request.
 */
export interface Batch {
  /** In order of file and offset. */
  readonly events: readonly Outgoing[];
  /** Events known to be refused, without asking. */
  readonly refused: readonly { readonly event: Outgoing; readonly cause: RejectCause }[];
  readonly advances: ReadonlyMap<FollowedFile, Advance>;
  /** Lines among them that are not sent: below the level, or empty. */
  readonly filteredLines: number;
}

/** Gathers events in order of file and offset, and gives a batch whenever one is full. */
export class BatchBuilder {
  #events: Outgoing[] = [];
  #refused: { event: Outgoing; cause: RejectCause }[] = [];
  #bytes = 0;
  #advances = new Map<FollowedFile, Advance>();
  #filteredLines = 0;
  #day = Number.NaN;

  /** Adds an event; gives the batch that it did not fit into. */
  add(event: Outgoing): Batch | undefined {
    const bytes = utf8Bytes(event.message) + EVENT_OVERHEAD_BYTES;
    const day = dayOf(event);
    const full =
      this.#events.length > 0 &&
      (day !== this.#day || this.#events.length >= BATCH_EVENTS_MAX || this.#bytes + bytes > BATCH_BYTES_MAX)
        ? this.take()
        : undefined;
    this.#day = day;
    this.#bytes += bytes;
    this.#events.push(event);
    return full;
  }

  /** Accounts for an event that the service would refuse; bounded as if it were sent. */
  refuse(event: Outgoing, cause: RejectCause): Batch | undefined {
    const full = this.#refused.length >= BATCH_EVENTS_MAX ? this.take() : undefined;
    this.#refused.push({ event, cause });
    return full;
  }

  /** Room for so many bytes in this batch; gives the batch that has none. Keeps the parts of one event together. */
  reserve(bytes: number): Batch | undefined {
    return this.#events.length > 0 && this.#bytes + bytes > BATCH_BYTES_MAX ? this.take() : undefined;
  }

  /** The clock was set: the times of what was gathered are others. */
  retime(corrected: (event: Outgoing) => Outgoing): void {
    this.#events = this.#events.map(corrected);
  }

  filter(lines: number): void {
    this.#filteredLines += lines;
  }

  /** Everything before that place in the file is in what was added. */
  advance(file: FollowedFile, advance: Advance): void {
    this.#advances.set(file, advance);
  }

  /** What was gathered, if anything. */
  take(): Batch | undefined {
    if (this.#advances.size === 0 && this.#events.length === 0 && this.#refused.length === 0)
      return undefined;
    const batch: Batch = {
      events: this.#events,
      refused: this.#refused,
      advances: this.#advances,
      filteredLines: this.#filteredLines,
    };
    this.#filteredLines = 0;
    this.#events = [];
    this.#refused = [];
    this.#bytes = 0;
    this.#advances = new Map();
    return batch;
  }
}

/** The UTC day of an event, as a whole number. */
export function dayOf({ timestampMs }: Pick<Outgoing, "timestampMs">): number {
  return Math.floor(timestampMs / DAY_MS);
}

import { fileErrorCode, LogFullError } from "./log-error.ts";
import type { LogRecord } from "./frame.ts";
import type { Loss, OpenOptions, Weighed } from "./options.ts";
import { rewriteSegment } from "./rewrite.ts";
import type { SegmentPlace } from "./segment.ts";
import { opener } from "./segment-cipher.ts";
import type { SegmentReader } from "./segment-reader.ts";
import type { SegmentInfo, Segments } from "./segments.ts";

export interface RetentionParts {
  readonly place: SegmentPlace;
  readonly segments: Segments;
  readonly reader: Pick<SegmentReader, "forget">;
  readonly options: OpenOptions;
  /** What every cursor has passed: nobody's loss. */
  readonly done: () => number;
  /** Seals the segment being written and starts an empty one. */
  readonly roll: () => Promise<void>;
}

/** What the log gives up, when, and whose loss it is. All of it runs in the log's own turn. */
export class Retention {
  readonly givenUp = { overwritten: 0, thinned: 0, expired: 0 };
  readonly #parts: RetentionParts;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
  }

  /** Room for so many bytes below the cap, by the policy; `LogFullError` where it gives none. */
  async makeRoom(lengthBytes: number): Promise<void> {
    const { segments, options } = this.#parts;
    while (segments.bytes + lengthBytes > options.capBytes)
      if (!(await this.giveUp()))
        throw new LogFullError(
          `the log holds ${segments.bytes} of ${options.capBytes} bytes: wait until its readers are done with some, or raise the cap`,
        );
  }

  /**
   * Makes some room: by what nobody wants, by what outlived its time, then by the policy. False where there is
   * nothing left to give up.
   */
  async giveUp(): Promise<boolean> {
    const { segments, options } = this.#parts;
    const before = segments.bytes;
    await this.removePassed();
    if (segments.bytes < before) {
      await this.#syncFolder();
      return true;
    }
    if (await this.expire()) return true;
    if (options.whenFull === "reject") return false;
    if (options.whenFull === "downsample-oldest" && (await this.#thinOne())) return true;
    return this.#overwriteOldest();
  }

  /** The last segment stays: its name and header hold number and epoch. */
  async removePassed(): Promise<void> {
    const { segments, done } = this.#parts;
    const upTo = done();
    while (segments.count > 1 && (segments.all[1]?.first ?? 0) - 1 <= upTo) await segments.removeOldest();
  }

  /** Gives up every segment, oldest first, whose newest record is too old. True where there was one. */
  async expire(): Promise<boolean> {
    const { segments, options } = this.#parts;
    if (options.ttlMs === Infinity) return false;
    const count = await this.#expiredCount();
    let expired = 0;
    for (; expired < count; expired++) {
      if (segments.count === 1 && !(await this.#rolled())) break;
      await this.#remove("expired", options.onExpired);
    }
    if (expired > 0) await this.#syncFolder();
    return expired > 0;
  }

  /** How many of the oldest segments outlived their time. One of no known age is no younger than the one behind it. */
  async #expiredCount(): Promise<number> {
    const { segments, options } = this.#parts;
    let count = 0;
    for (const [at, segment] of segments.all.entries()) {
      const newestMs = await segments.newestMs(segment).catch(unlessUnreadable);
      if (newestMs === undefined || newestMs < options.agesFromMs) continue;
      if (options.clock.now() - newestMs <= options.ttlMs) break;
      // An empty last segment stays: its name holds the number.
      if (at < segments.count - 1 || newestMs > -Infinity) count = at + 1;
    }
    return count;
  }

  /** Thins the oldest segment that was not thinned yet; false where there is none, or no room to do it. */
  async #thinOne(): Promise<boolean> {
    const { segments } = this.#parts;
    for (const segment of segments.all.slice(0, -1)) {
      if (await segments.isThinned(segment)) continue;
      try {
        if (await this.#thin(segment)) return true;
      } catch (failure) {
        // The new segment needs room beside the old one; where there is none the oldest goes whole.
        if (fileErrorCode(failure) === undefined) throw failure;
        return false;
      }
    }
    return false;
  }

  /** False where it saved nothing. */
  async #thin(segment: SegmentInfo): Promise<boolean> {
    const { place, segments, reader, options, done } = this.#parts;
    const below = segments.at(segment.first)?.below ?? Infinity;
    const passed = done();
    const keep = options.keep ?? (() => false);
    const weighed: Weighed[] = [];
    const rewritten = await rewriteSegment(place, { ...segment, below }, options.keys, {
      isThinned: true,
      keep: (record, index) => {
        if (record.sequence <= passed) return false;
        const stays = keep(record, index);
        if (!stays) weighed.push(...this.#weighed(record));
        return stays;
      },
    });
    if (rewritten === undefined) {
      segment.isThinned = true;
      return false;
    }
    const savedBytes = segment.sizeBytes - rewritten.sizeBytes;
    segments.replace(segment, rewritten.sizeBytes);
    reader.forget(segment.first);
    const lost = rewritten.dropped.filter((sequence) => sequence > passed);
    this.givenUp.thinned += lost.length;
    if (lost.length > 0)
      options.onThinned?.({ first: lost[0] ?? 0, last: lost.at(-1) ?? 0, records: lost.length, weighed });
    return savedBytes > 0;
  }

  /** Removes the oldest segment although a reader may want it. False where only an empty one is left. */
  async #overwriteOldest(): Promise<boolean> {
    const { segments, options } = this.#parts;
    if (segments.count === 1) {
      const { oldest } = segments;
      if (oldest === undefined || (await segments.newestMs(oldest)) === -Infinity) return false;
      if (!(await this.#rolled())) return false;
    }
    if (segments.count < 2) return false;
    await this.#remove("overwritten", options.onOverwritten);
    await this.#syncFolder();
    return true;
  }

  async #remove(cause: "overwritten" | "expired", report: ((lost: Loss) => void) | undefined): Promise<void> {
    const { segments, done } = this.#parts;
    const [oldest, second] = segments.all;
    if (oldest === undefined || second === undefined) return;
    const first = Math.max(oldest.first, done() + 1);
    const last = second.first - 1;
    const thinned = async (): Promise<number | undefined> =>
      (await segments.isThinned(oldest)) ? segments.countBehind(oldest, first - 1) : undefined;
    const records = (await thinned().catch(unlessUnreadable)) ?? Math.max(0, last - first + 1);
    const weighed = records > 0 ? await this.#weigh(oldest, first) : [];
    await segments.removeOldest();
    this.givenUp[cause] += records;
    if (records > 0) report?.({ first, last, records, weighed });
  }

  /** The segment's records from `first` on, as far as they can be read. */
  async #weigh(segment: SegmentInfo, first: number): Promise<readonly Weighed[]> {
    const { place, segments, options } = this.#parts;
    if (options.weigh === undefined) return [];
    const open = opener(options.keys, place.crypto, place.epoch, segment.first);
    const records = (await segments.records(segment, open).catch(unlessUnreadable)) ?? [];
    return records.filter(({ sequence }) => sequence >= first).flatMap((record) => this.#weighed(record));
  }

  #weighed(record: LogRecord): Weighed[] {
    const weight = this.#parts.options.weigh?.(record);
    const { sequence, payload } = record;
    return weight === undefined ? [] : [{ sequence, weight, payloadBytes: payload.length }];
  }

  /** Starts an empty segment, so that the one before may go; false where the disk has no room even for that. */
  async #rolled(): Promise<boolean> {
    try {
      await this.#parts.roll();
      return true;
    } catch (failure) {
      if (fileErrorCode(failure) === undefined) throw failure;
      return false;
    }
  }

  #syncFolder(): Promise<void> {
    const { files, folder } = this.#parts.place;
    return files.syncFolder(folder);
  }
}

/** A segment that the disk cannot read must not keep itself from going. */
function unlessUnreadable(failure: unknown): undefined {
  if (fileErrorCode(failure) === undefined) throw failure;
}

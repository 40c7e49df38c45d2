import { Cursor, cursorFile } from "./cursor.ts";
import { type KeyFault, keyFaults } from "./key-faults.ts";
import { defaults, type DurableLogOptions, type LogLimits, type OpenOptions } from "./options.ts";
import { Quarantine } from "./quarantine.ts";
import { recover, type Recovered } from "./recover.ts";
import { Retention } from "./retention.ts";
import { type LogKeys, newCipher, opener } from "./segment-cipher.ts";
import { type Chunk, SegmentReader } from "./segment-reader.ts";
import { Segments } from "./segments.ts";
import { Turns } from "./turns.ts";
import { LogWriter } from "./writer.ts";

/** A segment that no reader needs is given up early only when that frees this share of a segment. */
const EARLY_ROLL_SHARE = 1 / 16;

/**
 * An append-only log of records with consecutive numbers, in segments. `append` resolves when the record is durable;
 * records that arrive while the disk is busy share the next sync. There is one writer. docs/spec/durable-log.md.
 */
export class DurableLog {
  readonly epoch: string;
  readonly recovered: Recovered;
  readonly #options: OpenOptions;
  readonly #segments: Segments;
  readonly #retention: Retention;
  readonly #quarantine: Quarantine;
  readonly #reader: SegmentReader;
  readonly #writer: LogWriter;
  readonly #cursors: Map<string, Cursor>;
  /** Whatever changes the folder takes its turn. */
  readonly #turns = new Turns();

  private constructor(options: DurableLogOptions, recovered: Recovered) {
    const { files, folder, crypto } = options;
    const { epoch, active, next } = recovered;
    this.#options = { ...defaults, ...options };
    this.recovered = recovered;
    this.epoch = epoch;
    this.#cursors = recovered.cursors;
    const place = { files, folder, crypto, epoch };
    const segments = new Segments(place, recovered.segments);
    this.#segments = segments;
    this.#quarantine = new Quarantine(files, folder, (damage) => this.#options.onDamaged?.(damage));
    this.#reader = new SegmentReader({
      files,
      folder,
      crypto,
      openerOf: (first) => opener(this.#options.keys, crypto, epoch, first),
      damaged: (segment, from, bytes) => this.#turns.take(() => this.#quarantine.keep(segment, from, bytes)),
    });
    this.#writer = new LogWriter({
      place,
      segments,
      options: this.#options,
      turns: this.#turns,
      active,
      next,
      retention: () => this.#retention,
    });
    this.#retention = new Retention({
      place,
      segments,
      reader: this.#reader,
      options: this.#options,
      done: () => this.#done,
      roll: () => this.#writer.roll(),
    });
  }

  /** Opens or makes the log. Whatever a crash or damage left, it opens; `recovered` tells what was found. */
  static async open(options: DurableLogOptions): Promise<DurableLog> {
    const { files, folder, crypto, keys } = options;
    // A key that cannot encrypt is told now, not with the first record.
    newCipher(keys, crypto, "", 1);
    const log = new DurableLog(options, await recover(files, folder, crypto));
    for (const { segment, from, bytes } of log.recovered.damaged)
      await log.#quarantine.keep(segment, from, bytes);
    return log;
  }

  /** The oldest number that may still be read. */
  get first(): number {
    return this.#segments.oldest?.first ?? this.#writer.next;
  }

  /** The newest durable number; `first − 1` where the log is empty. */
  get last(): number {
    return this.#writer.next - 1;
  }

  get sizeBytes(): number {
    return this.#segments.bytes;
  }

  /** Records that were given up since the log was opened, by cause. */
  get givenUp(): Readonly<Record<"overwritten" | "thinned" | "expired", number>> {
    return this.#retention.givenUp;
  }

  /** Changes limits, policy or keys from now on. */
  configure(change: Partial<LogLimits>): void {
    newCipher(change.keys, this.#options.crypto, "", 1);
    Object.assign(this.#options, change);
  }

  /**
   * Resolves to the record's number when it is durable. Rejects, having stored nothing that will be read, with a log
   * error. The payload is copied: it may be changed as soon as this returns.
   */
  append(payload: Uint8Array): Promise<number> {
    return this.#writer.append(payload);
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

  get cursorNames(): readonly string[] {
    return [...this.#cursors.keys()];
  }

  /**
   * Ends a cursor whose reader is gone for good: it holds nothing any more, and what it alone held is freed. Its reader
   * must not use it again. Where it rejects, the file is still there, and the cursor comes back with the next opening.
   */
  dropCursor(name: string): Promise<void> {
    return this.#turns.take(async () => {
      const cursor = this.#cursors.get(name);
      if (cursor === undefined) return;
      this.#cursors.delete(name);
      await cursor.close();
      const { files, folder } = this.#options;
      if (this.#cursors.size > 0) await this.#retention.removePassed();
      // A segment's name remembers that every number below it was given.
      if (cursor.reserved > 0 && cursor.reserved >= (this.#segments.last?.first ?? 0))
        await this.#writer.roll();
      if (this.#cursors.size > 0) await this.#retention.removePassed();
      await files.remove(`${folder}/${cursorFile(name)}`);
      await files.syncFolder(folder);
    });
  }

  /**
   * The keys that segments need which some reader still wants, and that `keys` lacks or has another for. Ask before
   * keys are taken away: what cannot be opened is a gap.
   */
  keyFaults(keys: LogKeys = this.#options.keys): Promise<readonly KeyFault[]> {
    const { files, folder, crypto } = this.#options;
    const place = { files, folder, crypto, epoch: this.epoch };
    return this.#turns.take(() => keyFaults(place, this.#segments, this.#done, this.last, keys));
  }

  /** Reads `from` to `to`, both included, segment by segment. What is missing is told as gaps. */
  async *read(from: number, to = this.last): AsyncGenerator<Chunk, void> {
    for (let next = from; next <= Math.min(to, this.last);) {
      const chunk = await this.#readSegment(next, Math.min(to, this.last));
      next = chunk.next;
      yield chunk;
    }
  }

  /** Removes the segments that every cursor has passed; resolves to their bytes. Cursors are durable by then. */
  free(): Promise<number> {
    return this.#turns.take(async () => {
      if (this.#cursors.size === 0) return 0;
      const before = this.sizeBytes;
      await this.#retention.removePassed();
      const worthRolling = this.#options.segmentBytes * EARLY_ROLL_SHARE;
      if (this.#done >= this.last && (this.#segments.last?.sizeBytes ?? 0) > worthRolling) {
        // On a full disk there may be no room for a new segment: then the old one stays.
        await this.#writer.roll().catch(() => undefined);
        await this.#retention.removePassed();
      }
      if (this.sizeBytes < before) await this.#options.files.syncFolder(this.#options.folder);
      return before - this.sizeBytes;
    });
  }

  /** What time alone brings about: seals by age, gives up what outlived its time. To be called now and then. */
  tend(): Promise<void> {
    return this.#turns.take(async () => {
      await this.#writer.sealByAge();
      await this.#retention.expire();
    });
  }

  /** Stores what waits, then closes every file. */
  async close(): Promise<void> {
    await this.#writer.close();
    for (const cursor of this.#cursors.values()) await cursor.close();
  }

  /** The newest number that every cursor has passed; 0 where there is no cursor. */
  get #done(): number {
    if (this.#cursors.size === 0) return 0;
    return Math.min(...[...this.#cursors.values()].map((cursor) => cursor.done));
  }

  async #readSegment(next: number, to: number): Promise<Chunk> {
    for (;;) {
      // What was given up, before the read began or since.
      if (next < this.first) {
        const last = Math.min(to, this.first - 1);
        return { records: [], gaps: [{ first: next, last }], next: last + 1 };
      }
      const found = this.#segments.at(next);
      if (found === undefined)
        throw new Error(`no segment holds number ${next} of ${this.first} to ${this.last}`);
      const below = found.below ?? this.#writer.next;
      const last = Math.min(to, below - 1);
      const chunk = await this.#reader.read(found.segment, { next, last, below });
      // Given up or thinned out while it was read: what was read may be neither the old nor the new.
      const isStill = this.#segments.at(next)?.segment === found.segment;
      if (!isStill) continue;
      // Somebody else removed the file.
      return chunk ?? { records: [], gaps: [{ first: next, last }], next: last + 1 };
    }
  }
}

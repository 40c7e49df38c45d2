import type { Instant } from "@coalmine/ports";
import { SEGMENT_HEADER_BYTES, readHeader, segmentName, type SegmentPlace } from "./segment.ts";
import type { LogRecord } from "./frame.ts";
import { scanFrames } from "./scan.ts";
import type { Opener } from "./segment-cipher.ts";

export interface SegmentInfo {
  readonly first: number;
  sizeBytes: number;
  /** When its newest record was appended, where that is known; told by the records themselves otherwise. */
  newestMs?: Instant;
  isThinned?: boolean;
}

/** The segments of a log, oldest first: what is known of each without reading it. */
export class Segments {
  readonly #place: SegmentPlace;
  readonly #all: SegmentInfo[];
  #bytes: number;

  constructor(place: SegmentPlace, found: SegmentInfo[]) {
    this.#place = place;
    this.#all = found;
    this.#bytes = found.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#all.length;
  }

  get all(): readonly SegmentInfo[] {
    return this.#all;
  }

  get oldest(): SegmentInfo | undefined {
    return this.#all[0];
  }

  get last(): SegmentInfo | undefined {
    return this.#all.at(-1);
  }

  /** Where a number lies, and the first number of the segment behind. */
  at(sequence: number): { segment: SegmentInfo; below: number | undefined } | undefined {
    const index = this.#all.findLastIndex(({ first }) => first <= sequence);
    const segment = this.#all[index];
    return segment === undefined ? undefined : { segment, below: this.#all[index + 1]?.first };
  }

  start(first: number, sizeBytes: number): void {
    // A poisoned segment without records had the same name, and was replaced.
    if (this.last?.first === first) this.#bytes -= this.#all.pop()?.sizeBytes ?? 0;
    this.#all.push({ first, sizeBytes });
    this.#bytes += sizeBytes;
  }

  /** The last segment is longer now. */
  grow(bytes: number, newestMs?: Instant): void {
    const { last } = this;
    if (last === undefined) return;
    last.sizeBytes += bytes;
    this.#bytes += bytes;
    if (newestMs !== undefined) last.newestMs = Math.max(newestMs, last.newestMs ?? -Infinity);
  }

  /** Its file was rewritten. Who reads it meanwhile finds another object here, and reads again. */
  replace(segment: SegmentInfo, sizeBytes: number): void {
    const index = this.#all.indexOf(segment);
    this.#all[index] = { ...segment, sizeBytes, isThinned: true };
    this.#bytes += sizeBytes - segment.sizeBytes;
  }

  /** Durable only with the next sync of the folder. */
  async removeOldest(): Promise<void> {
    const { oldest } = this;
    if (oldest === undefined) return;
    const { files, folder } = this.#place;
    await files.remove(`${folder}/${segmentName(oldest.first)}`);
    this.#all.shift();
    this.#bytes -= oldest.sizeBytes;
  }

  async isThinned(segment: SegmentInfo): Promise<boolean> {
    return (segment.isThinned ??=
      readHeader(await this.#read(segment, SEGMENT_HEADER_BYTES), this.#place.crypto)?.isThinned ?? true);
  }

  /** When the newest record was appended; −∞ of a segment without any. Reads the segment once where it is not known. */
  async newestMs(segment: SegmentInfo): Promise<Instant> {
    return (segment.newestMs ??= (await this.records(segment)).reduce(
      (newest, { timeMs }) => Math.max(newest, timeMs),
      -Infinity,
    ));
  }

  /** How many records behind `done` the segment really holds. */
  async countBehind(segment: SegmentInfo, done: number): Promise<number> {
    return (await this.records(segment)).filter(({ sequence }) => sequence > done).length;
  }

  /** The segment's records; their payloads are of use only where `open` opens them. */
  async records(segment: SegmentInfo, open: Opener = asTheyAre): Promise<readonly LogRecord[]> {
    const bytes = await this.#read(segment, segment.sizeBytes);
    const next = segment.first;
    const range = { next, below: this.at(next)?.below ?? Infinity, last: Infinity };
    return scanFrames(
      bytes.subarray(SEGMENT_HEADER_BYTES),
      SEGMENT_HEADER_BYTES,
      range,
      this.#place.crypto,
      open,
    ).records;
  }

  async #read({ first }: SegmentInfo, lengthBytes: number): Promise<Uint8Array> {
    const { files, folder } = this.#place;
    const file = await files.open(`${folder}/${segmentName(first)}`, "read");
    return file.read(0, lengthBytes).finally(() => file.close());
  }
}

/** Time and number stand outside what is encrypted. */
const asTheyAre: Opener = ({ payload }) => payload;

import type { Crypto, Files } from "@coalmine/ports";
import type { Gap, LogRecord } from "./frame.ts";
import { fileErrorCode } from "./log-error.ts";
import { scanFrames } from "./scan.ts";
import { readHeader, SEGMENT_HEADER_BYTES, segmentName } from "./segment.ts";
import type { Opener } from "./segment-cipher.ts";

/** Part of a read: records and gaps in order, of one segment. `next` is the first number behind it. */
export interface Chunk {
  readonly records: readonly LogRecord[];
  readonly gaps: readonly Gap[];
  readonly next: number;
}

export interface ReaderParts {
  readonly files: Pick<Files, "open">;
  readonly folder: string;
  readonly crypto: Pick<Crypto, "crc32">;
  /** For the frames of the segment that begins with this number. */
  readonly openerOf: (first: number) => Opener;
  /** Told of bytes between frames that are none, from `from` of the segment on. */
  readonly damaged: (segment: number, from: number, bytes: Uint8Array) => Promise<void>;
}

/** Reads numbers out of one segment at a time. Reading on where the last read ended does not scan from the start. */
export class SegmentReader {
  readonly #parts: ReaderParts;
  #hint:
    | {
        readonly first: number;
        readonly sequence: number;
        readonly position: number;
        readonly isThinned: boolean;
      }
    | undefined;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
  }

  /** The segment of this first number holds other bytes now. */
  forget(first: number): void {
    if (this.#hint?.first === first) this.#hint = undefined;
  }

  /** Numbers `next` to `last` of a segment whose numbers end before `below`; undefined where its file is gone. */
  async read(
    segment: { readonly first: number; readonly sizeBytes: number },
    range: { readonly next: number; readonly last: number; readonly below: number },
  ): Promise<Chunk | undefined> {
    const { next, last, below } = range;
    const { files, folder, crypto, openerOf, damaged } = this.#parts;
    const { first, sizeBytes } = segment;
    const hint = this.#hint;
    const canGoOn = hint?.first === first && hint.sequence === next;
    const position = canGoOn ? hint.position : SEGMENT_HEADER_BYTES;
    let head: Uint8Array | undefined;
    let bytes: Uint8Array;
    try {
      const file = await files.open(`${folder}/${segmentName(first)}`, "read");
      try {
        const from = canGoOn ? position : 0;
        const read = await file.read(from, Math.max(0, sizeBytes - from));
        head = canGoOn ? undefined : read;
        bytes = read.subarray(position - from);
      } finally {
        await file.close();
      }
    } catch (failure) {
      if (fileErrorCode(failure) === "ENOENT") return undefined;
      throw failure;
    }
    const scan = scanFrames(
      bytes,
      position,
      { next: canGoOn ? next : first, below, last },
      crypto,
      openerOf(first),
    );
    const isThinned =
      head === undefined ? hint?.isThinned === true : readHeader(head, crypto)?.isThinned === true;
    this.#hint = { first, sequence: scan.next, position: scan.end, isThinned };
    const gaps: Gap[] = scan.gaps
      .filter((gap) => gap.last >= next && gap.first <= last)
      .map((gap) => ({
        ...gap,
        first: Math.max(gap.first, next),
        last: Math.min(gap.last, last),
        ...(isThinned && scan.writtenGaps.has(gap) ? { isThinned: true as const } : {}),
      }));
    const lacksTheEnd = scan.next <= last;
    if (lacksTheEnd) gaps.push({ first: Math.max(scan.next, next), last });
    for (const { from, to } of scan.damaged)
      await damaged(first, from, bytes.subarray(from - position, to - position));
    // What thinning or repair took from the end is missing behind an intact seal.
    if (lacksTheEnd && !scan.sealed) await damaged(first, scan.end, bytes.subarray(scan.end - position));
    const records = scan.records.filter((record) => record.sequence >= next && record.sequence <= last);
    return { records, gaps, next: last + 1 };
  }
}

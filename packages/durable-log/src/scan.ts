import type { Crypto } from "@coalmine/ports";
import {
  AFTER_GAP_FLAG,
  ALIGNMENT_BYTES,
  ENCRYPTED_FLAG,
  FRAME_HEADER_BYTES,
  frameBytes,
  type Gap,
  type LogRecord,
  SEAL_FLAG,
} from "./frame.ts";
import type { Opener } from "./segment-cipher.ts";

/** Bytes of a segment, `to` excluded. */
export interface Extent {
  readonly from: number;
  readonly to: number;
}

export interface Scan {
  readonly records: LogRecord[];
  /** Between records; what may be missing behind the last one only the caller can tell. */
  readonly gaps: Gap[];
  /** Those of the gaps that were there when the frame behind them was written. */
  readonly writtenGaps: ReadonlySet<Gap>;
  /** Where bytes between frames are no frame. */
  readonly damaged: Extent[];
  /** Position behind the last intact frame and its padding, which may be cut off. */
  readonly end: number;
  /** The number that the next record would have. */
  readonly next: number;
  readonly sealed: boolean;
  /** The key of the encrypted frames; 0 where none is. */
  readonly keyId: number;
}

export interface ScanRange {
  /** The first number to expect. */
  readonly next: number;
  /** Numbers from here on belong to a later segment and end the scan. */
  readonly below: number;
  /** The scan may end behind this number. */
  readonly last: number;
}

/**
 * Reads the frames in `bytes`, which lie at `position` of a segment. Past damage it goes on with the next frame whose
 * CRC and number agree.
 */
export function scanFrames(
  bytes: Uint8Array,
  position: number,
  range: ScanRange,
  crypto: Pick<Crypto, "crc32">,
  open: Opener,
): Scan {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: LogRecord[] = [];
  const gaps: Gap[] = [];
  const writtenGaps = new Set<Gap>();
  const damaged: Extent[] = [];
  let { next } = range;
  let end = 0;
  let sealed = false;
  let keyId = 0;
  for (let offset = 0; offset + FRAME_HEADER_BYTES <= bytes.length && next <= range.last;) {
    const length = view.getUint32(offset + 4, true);
    const sequence = view.getUint32(offset + 8, true) + view.getUint32(offset + 12, true) * 0x1_0000_0000;
    const flags = view.getUint32(offset + 24, true);
    const stop = offset + FRAME_HEADER_BYTES + length;
    // Cheap tests first: while resynchronizing most positions fail them.
    const isPlausible =
      stop <= bytes.length &&
      sequence >= next &&
      ((flags & AFTER_GAP_FLAG) !== 0 || sequence - next <= (offset - end) / FRAME_HEADER_BYTES);
    if (
      !isPlausible ||
      crypto.crc32(bytes.subarray(offset + 4, stop), position + offset) !== view.getUint32(offset, true)
    ) {
      offset += ALIGNMENT_BYTES;
      continue;
    }
    sealed = (flags & SEAL_FLAG) !== 0;
    if (sequence > range.below || (sequence === range.below && !sealed)) {
      sealed = false;
      break;
    }
    if (offset > end) damaged.push({ from: position + end, to: position + offset });
    if (sequence > next) {
      const gap = { first: next, last: sequence - 1 };
      gaps.push(gap);
      if (offset === end) writtenGaps.add(gap);
    }
    if (sealed) {
      next = sequence;
      end = offset + frameBytes(length);
      break;
    }
    const payload = bytes.subarray(offset + FRAME_HEADER_BYTES, stop);
    if ((flags & ENCRYPTED_FLAG) !== 0) keyId = flags >>> 16;
    const opened =
      (flags & ENCRYPTED_FLAG) === 0
        ? payload
        : open({
            keyId: flags >>> 16,
            salt: view.getUint32(offset + 28, true),
            position: position + offset,
            header: bytes.subarray(offset + 4, offset + FRAME_HEADER_BYTES),
            payload,
          });
    if (typeof opened === "string") addUnread(gaps, sequence, opened);
    else records.push({ sequence, timeMs: view.getFloat64(offset + 16, true), payload: opened });
    next = sequence + 1;
    offset += frameBytes(length);
    end = offset;
  }
  return { records, gaps, writtenGaps, damaged, end: position + end, next, sealed, keyId };
}

function addUnread(gaps: Gap[], sequence: number, why: string): void {
  const before = gaps.at(-1);
  if (before?.last === sequence - 1 && before.why === why)
    gaps[gaps.length - 1] = { ...before, last: sequence };
  else gaps.push({ first: sequence, last: sequence, why });
}

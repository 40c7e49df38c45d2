import type { Crypto, Instant } from "@coalmine/ports";

/**
 * A frame holds one record: `crc u32, length u32, sequence u64, time f64, flags u32, 0 u32, payload`, little-endian,
 * starting at a multiple of 8. The CRC covers all behind it and starts from the frame's own position, so that a
 * frame inside a payload, or a stale one elsewhere, is never taken for a record.
 */
export const FRAME_HEADER_BYTES = 32;
const ALIGNMENT_BYTES = 8;
/** The last frame of a sealed segment; its sequence is the one behind the last record. */
export const SEAL_FLAG = 1;

export interface LogRecord {
  readonly sequence: number;
  /** When it was appended, by the device's clock. */
  readonly timeMs: Instant;
  readonly payload: Uint8Array;
}

/** Records that are not there although their numbers were given: `last − first + 1` of them. */
export interface Gap {
  readonly first: number;
  readonly last: number;
}

/** Bytes a record takes in a segment. */
export function frameBytes(payloadBytes: number): number {
  return (FRAME_HEADER_BYTES + payloadBytes + ALIGNMENT_BYTES - 1) & ~(ALIGNMENT_BYTES - 1);
}

/** Writes a frame at `offset` of `into`, which will lie at `position` of the segment. */
export function writeFrame(
  into: Uint8Array,
  offset: number,
  position: number,
  record: LogRecord,
  flags: number,
  crypto: Pick<Crypto, "crc32">,
): void {
  const view = new DataView(into.buffer, into.byteOffset + offset);
  view.setUint32(4, record.payload.length, true);
  view.setUint32(8, record.sequence % 0x1_0000_0000, true);
  view.setUint32(12, Math.floor(record.sequence / 0x1_0000_0000), true);
  view.setFloat64(16, record.timeMs, true);
  view.setUint32(24, flags, true);
  view.setUint32(28, 0, true);
  into.set(record.payload, offset + FRAME_HEADER_BYTES);
  const end = offset + FRAME_HEADER_BYTES + record.payload.length;
  view.setUint32(0, crypto.crc32(into.subarray(offset + 4, end), position), true);
}

export interface Scan {
  readonly records: LogRecord[];
  /** Between records; what may be missing behind the last one only the caller can tell. */
  readonly gaps: Gap[];
  /** Position behind the last intact frame and its padding, which may be cut off. */
  readonly end: number;
  /** The number that the next record would have. */
  readonly next: number;
  readonly sealed: boolean;
}

/**
 * Reads the frames in `bytes`, which lie at `position` of a segment. `next` is the first number to expect; numbers
 * from `below` on belong to a later segment and end the scan, as does `last`. Past damage it goes on with the next
 * frame whose CRC and number agree.
 */
export function scanFrames(
  bytes: Uint8Array,
  position: number,
  range: { readonly next: number; readonly below: number; readonly last: number },
  crypto: Pick<Crypto, "crc32">,
): Scan {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: LogRecord[] = [];
  const gaps: Gap[] = [];
  let { next } = range;
  let end = 0;
  let sealed = false;
  for (let offset = 0; offset + FRAME_HEADER_BYTES <= bytes.length && next <= range.last;) {
    const length = view.getUint32(offset + 4, true);
    const sequence = view.getUint32(offset + 8, true) + view.getUint32(offset + 12, true) * 0x1_0000_0000;
    const stop = offset + FRAME_HEADER_BYTES + length;
    // Cheap tests first: while resynchronizing most positions fail them.
    const isPlausible =
      stop <= bytes.length && sequence >= next && sequence - next <= (offset - end) / FRAME_HEADER_BYTES;
    if (
      !isPlausible ||
      crypto.crc32(bytes.subarray(offset + 4, stop), position + offset) !== view.getUint32(offset, true)
    ) {
      offset += ALIGNMENT_BYTES;
      continue;
    }
    sealed = view.getUint32(offset + 24, true) === SEAL_FLAG;
    if (sequence > range.below || (sequence === range.below && !sealed)) break;
    if (sequence > next) gaps.push({ first: next, last: sequence - 1 });
    if (sealed) {
      next = sequence;
      end = offset + frameBytes(length);
      break;
    }
    records.push({
      sequence,
      timeMs: view.getFloat64(offset + 16, true),
      payload: bytes.subarray(offset + FRAME_HEADER_BYTES, stop),
    });
    next = sequence + 1;
    offset += frameBytes(length);
    end = offset;
  }
  return { records, gaps, end: position + end, next, sealed };
}

import type { Crypto, Instant } from "@coalmine/ports";
import { type SegmentCipher, TAG_BYTES } from "./segment-cipher.ts";

/**
 * A frame holds one record: `crc u32, length u32, sequence u64, time f64, flags u16, key id u16, salt u32, payload`,
 * little-endian, starting at a multiple of 8. The CRC covers all behind it and starts from the frame's own position,
 * so that a frame inside a payload, or a stale one elsewhere, is never taken for a record.
 */
export const FRAME_HEADER_BYTES = 32;
export const ALIGNMENT_BYTES = 8;
/** The last frame of a sealed segment; its sequence is the one behind the last record. */
export const SEAL_FLAG = 1;
/** Numbers in front of this frame may be missing without damage: they were thinned out, or lost and repaired. */
export const AFTER_GAP_FLAG = 2;
/** The payload is encrypted, and ends with its tag. */
export const ENCRYPTED_FLAG = 4;

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
  /** Where the bytes are there and cannot be read: why, as a sentence. */
  readonly why?: string;
  /** They were thinned out to make room, and told then. */
  readonly isThinned?: true;
}

/** Bytes a record takes in a segment. */
export function frameBytes(payloadBytes: number): number {
  return (FRAME_HEADER_BYTES + payloadBytes + ALIGNMENT_BYTES - 1) & ~(ALIGNMENT_BYTES - 1);
}

/** Bytes a record takes, encrypted or not. The tag is a multiple of the alignment. */
export function sealedBytes(payloadBytes: number, cipher: SegmentCipher | undefined): number {
  return frameBytes(payloadBytes) + (cipher === undefined ? 0 : TAG_BYTES);
}

/** Writes the header of a frame but for its CRC. */
export function writeFrameHeader(
  view: DataView,
  offset: number,
  frame: { readonly sequence: number; readonly timeMs: Instant },
  payloadBytes: number,
  flags: number,
  cipher?: SegmentCipher,
): void {
  view.setUint32(offset + 4, payloadBytes, true);
  view.setUint32(offset + 8, frame.sequence % 0x1_0000_0000, true);
  view.setUint32(offset + 12, Math.floor(frame.sequence / 0x1_0000_0000), true);
  view.setFloat64(offset + 16, frame.timeMs, true);
  view.setUint32(
    offset + 24,
    cipher === undefined ? flags : flags | ENCRYPTED_FLAG | (cipher.keyId << 16),
    true,
  );
  view.setUint32(offset + 28, cipher?.salt ?? 0, true);
}

/** Writes a frame at `offset` of `into`, which will lie at `position` of the segment. */
export function writeFrame(
  into: Uint8Array,
  offset: number,
  position: number,
  record: LogRecord,
  flags: number,
  crypto: Pick<Crypto, "crc32">,
  cipher?: SegmentCipher,
): void {
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
  const length = record.payload.length + (cipher === undefined ? 0 : TAG_BYTES);
  writeFrameHeader(view, offset, record, length, flags, cipher);
  const header = into.subarray(offset + 4, offset + FRAME_HEADER_BYTES);
  const payload = cipher === undefined ? record.payload : cipher.seal(position, header, record.payload);
  into.set(payload, offset + FRAME_HEADER_BYTES);
  const end = offset + FRAME_HEADER_BYTES + length;
  view.setUint32(offset, crypto.crc32(into.subarray(offset + 4, end), position), true);
}

import { Undecodable } from "./decoder.ts";

/** What a Zstandard frame says of itself before its first block. */
export interface FrameHeader {
  readonly headerBytes: number;
  readonly windowBytes: number;
  readonly contentBytes: number | undefined;
  /** Its number; 0 for none. */
  readonly dictionary: number;
  readonly hasChecksum: boolean;
}

const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const WINDOW_LOG_MIN = 10;
const dictionaryBytes = [0, 1, 2, 4];
/** By the two upper bits of the descriptor; what a single segment has instead of nothing is one byte. */
const contentSizeBytes = [0, 2, 4, 8];

export const SKIPPABLE_HEADER_BYTES = 8;

/** How much follows the header of a frame that is passed over; nothing where there is none, or too few bytes. */
export function skippableBytes(bytes: Uint8Array): number | undefined {
  if (bytes.length < SKIPPABLE_HEADER_BYTES) return undefined;
  const isSkippable = (littleEndian(bytes, 0, 4) & ~0xf) === SKIPPABLE_MAGIC;
  return isSkippable ? littleEndian(bytes, 4, 4) : undefined;
}

/**
 * Nothing where there are too few bytes. Throws for what is no frame.
 * @see https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1.1
 */
export function frameHeader(bytes: Uint8Array): FrameHeader | undefined {
  const descriptor = bytes[4];
  if (descriptor === undefined) return undefined;
  const magic = littleEndian(bytes, 0, 4);
  if ((magic & ~0xf) === SKIPPABLE_MAGIC) return undefined;
  if (magic !== MAGIC || (descriptor & 8) !== 0)
    throw new Undecodable("the zstd file has something else where a frame should begin");
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const dictionaryAt = isSingleSegment ? 5 : 6;
  const sizeAt = dictionaryAt + (dictionaryBytes[descriptor & 3] ?? 0);
  const sizeBytes = sizeFlag === 0 && isSingleSegment ? 1 : (contentSizeBytes[sizeFlag] ?? 0);
  const headerBytes = sizeAt + sizeBytes;
  if (bytes.length < headerBytes) return undefined;
  // Two bytes count from 256.
  const size = littleEndian(bytes, sizeAt, sizeBytes) + (sizeFlag === 1 ? 256 : 0);
  return {
    headerBytes,
    windowBytes: isSingleSegment ? size : windowOf(bytes[5] ?? 0),
    contentBytes: sizeBytes === 0 ? undefined : size,
    dictionary: littleEndian(bytes, dictionaryAt, sizeAt - dictionaryAt),
    hasChecksum: (descriptor & 4) !== 0,
  };
}

function windowOf(descriptor: number): number {
  const base = 2 ** (WINDOW_LOG_MIN + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function littleEndian(bytes: Uint8Array, from: number, lengthBytes: number): number {
  let value = 0;
  for (let at = from + lengthBytes - 1; at >= from; at--) value = value * 256 + (bytes[at] ?? 0);
  return value;
}

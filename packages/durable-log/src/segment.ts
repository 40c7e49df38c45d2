import type { Crypto, File, Files, Instant } from "@coalmine/ports";
import type { Batch } from "./batch.ts";
import { SEAL_FLAG, sealedBytes, writeFrame } from "./frame.ts";
import type { KeyId, SegmentCipher } from "./segment-cipher.ts";

/** `CoalLog1`, first sequence u64, epoch 16 bytes, created f64, key id u32, thinned u32, 0 …, crc u32 of all before it. */
export const SEGMENT_HEADER_BYTES = 64;
const MAGIC = new TextEncoder().encode("CoalLog1");
const EPOCH_BYTES = 16;
const NAME = /^(\d{20})\.seg$/;

/** A segment is named by its first sequence number, so that names alone order and bound all segments. */
export function segmentName(first: number): string {
  return `${String(first).padStart(20, "0")}.seg`;
}

/** The first sequence number of a segment by its name, or undefined for another kind of file. */
export function segmentFirst(name: string): number | undefined {
  const digits = NAME.exec(name)?.[1];
  const first = Number(digits);
  return digits === undefined || !Number.isSafeInteger(first) || first < 1 ? undefined : first;
}

export interface SegmentHeader {
  /** Hexadecimal digits. */
  readonly epoch: string;
  readonly createdMs: Instant;
  /** The key that encrypts its records; 0 where they are in the clear. */
  readonly keyId: KeyId;
  /** Whether records were thinned out of it. */
  readonly isThinned: boolean;
}

/** What stands in a segment's header, or undefined where it is damaged. */
export function readHeader(bytes: Uint8Array, crypto: Pick<Crypto, "crc32">): SegmentHeader | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES || MAGIC.some((byte, at) => bytes[at] !== byte)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, SEGMENT_HEADER_BYTES);
  const end = SEGMENT_HEADER_BYTES - 4;
  if (crypto.crc32(bytes.subarray(0, end)) !== view.getUint32(end, true)) return undefined;
  return {
    epoch: toHex(bytes.subarray(16, 16 + EPOCH_BYTES)),
    createdMs: view.getFloat64(32, true),
    keyId: view.getUint32(40, true),
    isThinned: view.getUint32(44, true) !== 0,
  };
}

export function writeHeader(first: number, header: SegmentHeader, crypto: Pick<Crypto, "crc32">): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(8, first % 0x1_0000_0000, true);
  view.setUint32(12, Math.floor(first / 0x1_0000_0000), true);
  bytes.set(fromHex(header.epoch), 16);
  view.setFloat64(32, header.createdMs, true);
  view.setUint32(40, header.keyId, true);
  view.setUint32(44, header.isThinned ? 1 : 0, true);
  const end = SEGMENT_HEADER_BYTES - 4;
  view.setUint32(end, crypto.crc32(bytes.subarray(0, end)), true);
  return bytes;
}

/** The last frame of a segment: whoever finds it knows that nothing is missing behind the last record. */
export function sealFrame(
  seal: { readonly next: number; readonly timeMs: Instant; readonly epoch: string; readonly flags?: number },
  position: number,
  crypto: Pick<Crypto, "crc32">,
): Uint8Array {
  const payload = fromHex(seal.epoch);
  const bytes = new Uint8Array(sealedBytes(payload.length, undefined));
  const record = { sequence: seal.next, timeMs: seal.timeMs, payload };
  writeFrame(bytes, 0, position, record, SEAL_FLAG | (seal.flags ?? 0), crypto);
  return bytes;
}

/** Where segments are made, and in which numbering. */
export interface SegmentPlace {
  readonly files: Files;
  readonly folder: string;
  readonly crypto: Crypto;
  readonly epoch: string;
}

/**
 * Writes a segment under another name, makes it durable, and gives it its name durably; one of that name is replaced.
 * Answers the open file. `fill` writes what stands behind the header.
 */
export async function putSegment(
  { files, folder, crypto }: SegmentPlace,
  first: number,
  header: SegmentHeader,
  fill: (file: File) => Promise<void>,
): Promise<File> {
  const path = `${folder}/${segmentName(first)}`;
  const file = await files.open(`${path}.new`, "create");
  try {
    await file.truncate(0);
    await file.write(0, writeHeader(first, header, crypto));
    await fill(file);
    await file.sync();
    await files.rename(`${path}.new`, path);
    await files.syncFolder(folder);
    return file;
  } catch (failure) {
    await file.close().catch(() => undefined);
    throw failure;
  }
}

/** The segment that is being written. Only the log's one writer touches it. */
export class ActiveSegment {
  readonly first: number;
  readonly file: File;
  readonly createdMs: Instant;
  readonly cipher: SegmentCipher | undefined;
  /** Where the next frame goes. */
  sizeBytes: number;

  constructor(first: number, file: File, sizeBytes: number, createdMs: Instant, cipher?: SegmentCipher) {
    this.first = first;
    this.file = file;
    this.sizeBytes = sizeBytes;
    this.createdMs = createdMs;
    this.cipher = cipher;
  }

  /**
   * Makes a segment, durable with its first records before it has its name. A file of this name that holds no
   * acknowledged record (its segment was poisoned) is replaced.
   */
  static async create(
    place: SegmentPlace,
    first: number,
    createdMs: Instant,
    cipher: SegmentCipher | undefined,
    batch?: Batch,
  ): Promise<ActiveSegment> {
    const header = { epoch: place.epoch, createdMs, keyId: cipher?.keyId ?? 0, isThinned: false };
    const file = await putSegment(place, first, header, async (file) => {
      if (batch !== undefined)
        await file.write(
          SEGMENT_HEADER_BYTES,
          batch.framed(first, SEGMENT_HEADER_BYTES, place.crypto, cipher),
        );
    });
    const sizeBytes = SEGMENT_HEADER_BYTES + (batch?.sizeBytes(cipher) ?? 0);
    return new ActiveSegment(first, file, sizeBytes, createdMs, cipher);
  }

  /**
   * Ends the segment. Its seal is not synced: where a crash takes it, the next segment's name says as much, and every
   * record in front of it is durable already. Answers the seal's bytes.
   */
  async seal(next: number, timeMs: Instant, { epoch, crypto }: SegmentPlace): Promise<number> {
    const bytes = sealFrame({ next, timeMs, epoch }, this.sizeBytes, crypto);
    await this.file.write(this.sizeBytes, bytes);
    this.sizeBytes += bytes.length;
    return bytes.length;
  }
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function fromHex(digits: string): Uint8Array {
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

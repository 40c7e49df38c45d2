import type { Crypto, File, Files, Instant } from "@coalmine/ports";
import { frameBytes, SEAL_FLAG, writeFrame, type LogRecord } from "./frame.ts";

/** `CoalLog1`, first sequence u64, epoch 16 bytes, created f64, 0 …, crc u32 of all before it. */
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

/** The epoch in a segment's header as hexadecimal digits, or undefined where the header is damaged. */
export function readHeader(bytes: Uint8Array, crypto: Pick<Crypto, "crc32">): string | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES || MAGIC.some((byte, at) => bytes[at] !== byte)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, SEGMENT_HEADER_BYTES);
  const end = SEGMENT_HEADER_BYTES - 4;
  if (crypto.crc32(bytes.subarray(0, end)) !== view.getUint32(end, true)) return undefined;
  return toHex(bytes.subarray(16, 16 + EPOCH_BYTES));
}

function header(first: number, epoch: string, createdMs: Instant, crypto: Pick<Crypto, "crc32">): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(8, first % 0x1_0000_0000, true);
  view.setUint32(12, Math.floor(first / 0x1_0000_0000), true);
  bytes.set(fromHex(epoch), 16);
  view.setFloat64(32, createdMs, true);
  const end = SEGMENT_HEADER_BYTES - 4;
  view.setUint32(end, crypto.crc32(bytes.subarray(0, end)), true);
  return bytes;
}

/** The segment that is being written. Only the log's one writer touches it. */
export class ActiveSegment {
  readonly first: number;
  readonly file: File;
  readonly #crypto: Pick<Crypto, "crc32">;
  /** Where the next frame goes. */
  sizeBytes: number;

  constructor(first: number, file: File, sizeBytes: number, crypto: Pick<Crypto, "crc32">) {
    this.first = first;
    this.file = file;
    this.sizeBytes = sizeBytes;
    this.#crypto = crypto;
  }

  /**
   * Makes a segment, durable by name and header before any record goes into it. A file of this name that holds no
   * acknowledged record (its segment was poisoned) is replaced.
   */
  static async create(
    files: Files,
    folder: string,
    first: number,
    epoch: string,
    createdMs: Instant,
    crypto: Crypto,
  ): Promise<ActiveSegment> {
    const path = `${folder}/${segmentName(first)}`;
    const file = await files.open(`${path}.new`, "create");
    try {
      await file.truncate(0);
      await file.write(0, header(first, epoch, createdMs, crypto));
      await file.sync();
      await files.rename(`${path}.new`, path);
      await files.syncFolder(folder);
    } catch (failure) {
      await file.close();
      throw failure;
    }
    return new ActiveSegment(first, file, SEGMENT_HEADER_BYTES, crypto);
  }

  /** Writes the records in one write and makes them durable with one sync. */
  async commit(records: readonly LogRecord[], lengthBytes: number): Promise<void> {
    const bytes = new Uint8Array(lengthBytes);
    let offset = 0;
    for (const record of records) {
      writeFrame(bytes, offset, this.sizeBytes + offset, record, 0, this.#crypto);
      offset += frameBytes(record.payload.length);
    }
    await this.file.write(this.sizeBytes, bytes);
    await this.file.sync();
    this.sizeBytes += lengthBytes;
  }

  /** Ends the segment with a footer: whoever finds it knows that nothing is missing behind the last record. */
  async seal(next: number, timeMs: Instant, epoch: string): Promise<void> {
    const payload = fromHex(epoch);
    const bytes = new Uint8Array(frameBytes(payload.length));
    const seal = { sequence: next, timeMs, payload };
    writeFrame(bytes, 0, this.sizeBytes, seal, SEAL_FLAG, this.#crypto);
    await this.file.write(this.sizeBytes, bytes);
    await this.file.sync();
    this.sizeBytes += bytes.length;
  }
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function fromHex(digits: string): Uint8Array {
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

import type { Crypto, Instant } from "@coalmine/ports";
import { FRAME_HEADER_BYTES, frameBytes, sealedBytes, writeFrame, writeFrameHeader } from "./frame.ts";
import type { SegmentCipher } from "./segment-cipher.ts";

const FIRST_BUFFER_BYTES = 4096;

/** Whoever awaits a record's durability. */
export interface Waiter {
  readonly stored: (sequence: number) => void;
  readonly refused: (failure: Error) => void;
}

/**
 * The records of one commit, framed as they arrive: while the disk is busy with the commit before. Their number and
 * place are a guess until the commit's turn comes; a wrong guess costs framing them again.
 */
export class Batch {
  readonly waiters: Waiter[] = [];
  /** Its first record's number and its place in the segment; what the frames in the buffer were made for. */
  first: number;
  position: number;
  readonly #guess: { readonly first: number; readonly position: number };
  payloadBytes = 0;
  lengthBytes = 0;
  newestMs: Instant = -Infinity;
  #buffer: Uint8Array<ArrayBuffer>;
  #view: DataView;

  constructor(first: number, position: number, buffer = new Uint8Array(FIRST_BUFFER_BYTES)) {
    this.first = first;
    this.position = position;
    this.#guess = { first, position };
    this.#buffer = buffer;
    this.#view = new DataView(buffer.buffer);
  }

  get next(): number {
    return this.first + this.waiters.length;
  }

  get end(): number {
    return this.position + this.lengthBytes;
  }

  /** For the next batch, as soon as this one is stored. */
  get buffer(): Uint8Array<ArrayBuffer> {
    return this.#buffer;
  }

  /** Copies the payload, which is its owner's again. */
  add(payload: Uint8Array, timeMs: Instant, waiter: Waiter, crypto: Pick<Crypto, "crc32">): void {
    const offset = this.lengthBytes;
    const frame = frameBytes(payload.length);
    this.#reserve(offset + frame);
    const bytes = this.#buffer;
    writeFrameHeader(this.#view, offset, { sequence: this.next, timeMs }, payload.length, 0);
    bytes.set(payload, offset + FRAME_HEADER_BYTES);
    const end = offset + FRAME_HEADER_BYTES + payload.length;
    if (end < offset + frame) bytes.fill(0, end, offset + frame);
    this.#view.setUint32(offset, crypto.crc32(bytes.subarray(offset + 4, end), this.position + offset), true);
    this.waiters.push(waiter);
    this.payloadBytes += payload.length;
    this.lengthBytes += frame;
    if (timeMs > this.newestMs) this.newestMs = timeMs;
  }

  /** Bytes it takes in a segment of this cipher. */
  sizeBytes(cipher: SegmentCipher | undefined): number {
    return this.lengthBytes + this.waiters.length * (sealedBytes(0, cipher) - sealedBytes(0, undefined));
  }

  /** The frames as they belong at `position`, the first of them with the number `first`. */
  framed(first: number, position: number, crypto: Crypto, cipher: SegmentCipher | undefined): Uint8Array {
    const isAsGuessed =
      cipher === undefined && first === this.#guess.first && position === this.#guess.position;
    this.first = first;
    this.position = position;
    const plain = this.#buffer.subarray(0, this.lengthBytes);
    if (isAsGuessed) return plain;
    const into = new Uint8Array(this.sizeBytes(cipher));
    let to = 0;
    for (let from = 0, at = 0; from < plain.length; at++) {
      const length = this.#view.getUint32(from + 4, true);
      const start = from + FRAME_HEADER_BYTES;
      const record = {
        sequence: first + at,
        timeMs: this.#view.getFloat64(from + 16, true),
        payload: plain.subarray(start, start + length),
      };
      writeFrame(into, to, position + to, record, 0, crypto, cipher);
      from += frameBytes(length);
      to += sealedBytes(length, cipher);
    }
    return into;
  }

  #reserve(lengthBytes: number): void {
    if (lengthBytes <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(lengthBytes, this.#buffer.length * 2));
    larger.set(this.#buffer.subarray(0, this.lengthBytes));
    this.#buffer = larger;
    this.#view = new DataView(larger.buffer);
  }
}

import { Decompress } from "fzstd";
import { type Decoder, Undecodable } from "./decoder.ts";
import { frameHeader, type FrameHeader, SKIPPABLE_HEADER_BYTES, skippableBytes } from "./zstd-header.ts";
import { Xxh64 } from "./xxh64.ts";

/**
 * The largest window that is taken, which is most of the memory that one file takes: what every decoder should support,
 * and the most that `zstd` uses up to level 19.
 * @see https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1.1.2
 */
const WINDOW_BYTES_MAX = 8 * 1024 * 1024;
const BLOCK_BYTES_MAX = 128 * 1024;
const BLOCK_HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;
const REPEATED_BYTE = 1;
const RESERVED = 3;

interface Frame {
  readonly header: FrameHeader;
  readonly decompress: Decompress;
  readonly hash: Xxh64;
  /** The header, until it goes in with the first block. */
  ahead: Uint8Array;
  contentBytes: number;
}

/**
 * Zstandard, frames one after the other. It cuts the file into blocks, so that no more is decompressed at once than is
 * taken, and checks each frame against the length and the check sum that it tells, since the decompressor looks at
 * neither: without them damage within a block may go unseen.
 * @see https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1
 */
export class ZstdDecoder implements Decoder {
  #bytes = new Uint8Array(0);
  #isLast = false;
  #skipBytes = 0;
  #frame: Frame | undefined;
  readonly #made: Uint8Array[] = [];

  push(bytes: Uint8Array, isLast: boolean): void {
    this.#bytes = joined(this.#bytes, bytes);
    this.#isLast = isLast;
  }

  take(): Uint8Array | undefined {
    while (this.#made.length === 0 && this.#step());
    const made = this.#made.shift();
    const isInside = this.#frame !== undefined || this.#bytes.length > 0 || this.#skipBytes > 0;
    if (made === undefined && this.#isLast && isInside)
      throw new Undecodable("the zstd file ends inside a frame: it is still being written, or was cut short");
    return made;
  }

  /** Goes on by a header or a block; false where there are too few bytes for it. */
  #step(): boolean {
    if (this.#skipBytes > 0)
      this.#skipBytes -= this.#cut(Math.min(this.#skipBytes, this.#bytes.length)).length;
    if (this.#skipBytes > 0) return false;
    return this.#frame === undefined ? this.#begin() : this.#block(this.#frame);
  }

  #begin(): boolean {
    const skipped = skippableBytes(this.#bytes);
    if (skipped !== undefined) {
      this.#cut(SKIPPABLE_HEADER_BYTES);
      this.#skipBytes = skipped;
      return true;
    }
    const header = frameHeader(this.#bytes);
    if (header === undefined) return false;
    if (header.windowBytes > WINDOW_BYTES_MAX)
      throw new Undecodable(
        `the zstd file needs a window of ${header.windowBytes} bytes, and ${WINDOW_BYTES_MAX} are taken; compress without --ultra and --long`,
      );
    if (header.dictionary > 0)
      throw new Undecodable("the zstd file needs a dictionary, which is not there; compress without one");
    const hash = new Xxh64();
    const frame: Frame = {
      header,
      hash,
      ahead: this.#cut(header.headerBytes),
      contentBytes: 0,
      decompress: new Decompress((made) => {
        frame.contentBytes += made.length;
        if (header.hasChecksum) hash.update(made);
        this.#made.push(made);
      }),
    };
    this.#frame = frame;
    return true;
  }

  #block(frame: Frame): boolean {
    const { hasChecksum, windowBytes } = frame.header;
    const [low = 0, middle = 0, high = 0] = this.#bytes;
    if (this.#bytes.length < BLOCK_HEADER_BYTES) return false;
    const isLast = (low & 1) === 1;
    const type = (low >> 1) & 3;
    const blockBytes = (low >> 3) | (middle << 5) | (high << 13);
    if (type === RESERVED || blockBytes > Math.min(BLOCK_BYTES_MAX, windowBytes)) throw damaged();
    const takenBytes =
      BLOCK_HEADER_BYTES +
      (type === REPEATED_BYTE ? 1 : blockBytes) +
      (isLast && hasChecksum ? CHECKSUM_BYTES : 0);
    if (this.#bytes.length < takenBytes) return false;
    const taken = this.#cut(takenBytes);
    try {
      // The header alone is too short for it, and so is a small frame that is not known to be whole.
      frame.decompress.push(joined(frame.ahead, taken), isLast);
    } catch (cause) {
      throw damaged(cause);
    }
    frame.ahead = new Uint8Array(0);
    if (isLast) {
      this.#frame = undefined;
      this.#check(frame, taken.subarray(-CHECKSUM_BYTES));
    }
    return true;
  }

  #check({ header, hash, contentBytes }: Frame, last: Uint8Array): void {
    if (contentBytes !== (header.contentBytes ?? contentBytes)) throw damaged();
    if (!header.hasChecksum) return;
    const told = new DataView(last.buffer, last.byteOffset).getUint32(0, true);
    if (Number(BigInt.asUintN(32, hash.digest())) !== told) throw damaged();
  }

  #cut(lengthBytes: number): Uint8Array {
    const cut = this.#bytes.subarray(0, lengthBytes);
    this.#bytes = this.#bytes.subarray(lengthBytes);
    return cut;
  }
}

function damaged(cause?: unknown): Undecodable {
  return new Undecodable("the zstd file is damaged", { cause });
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

import type { ForeignFolder } from "@coalmine/ports";
import { Gunzip } from "fflate";

/** An open log file of somebody else. */
export type LogHandle = Awaited<ReturnType<ForeignFolder["open"]>>;

/** The bytes of a log as its writer wrote them, whether the file holds them plain or compressed. */
export interface Content {
  readonly isCompressed: boolean;
  /** Fewer bytes than asked only at the end. */
  read(position: number, lengthBytes: number): Promise<Uint8Array>;
}

export function plainContent(handle: LogHandle): Content {
  return { isCompressed: false, read: (position, lengthBytes) => handle.read(position, lengthBytes) };
}

export async function isGzip(handle: LogHandle): Promise<boolean> {
  const [first, second, method] = await handle.read(0, 3);
  return first === 0x1f && second === 0x8b && method === 8;
}

/** Compressed bytes taken at once; a byte becomes at most about a thousand. */
const COMPRESSED_BYTES = 16 * 1024;
/** What stays readable behind the furthest place that was read: the next read begins a little before it. */
const KEPT_BYTES = 4096;

/** A gzip file that cannot be read to its end: still being written, or damaged. */
export class GzipUnreadable extends Error {
  override readonly name = "GzipUnreadable";
}

/** The decompressed bytes of a gzip file, read forwards; reading further back begins anew. */
export class GzipContent implements Content {
  readonly isCompressed = true;
  readonly #handle: LogHandle;
  #window = new Uint8Array(0);
  #windowStart = 0;
  #taken = 0;
  #isEnd = false;
  #gunzip: Gunzip;
  #inflated: Uint8Array[] = [];

  constructor(handle: LogHandle) {
    this.#handle = handle;
    this.#gunzip = this.#begin();
  }

  #begin(): Gunzip {
    return new Gunzip((bytes) => void this.#inflated.push(bytes));
  }

  async read(position: number, lengthBytes: number): Promise<Uint8Array> {
    if (position < this.#windowStart) {
      this.#window = new Uint8Array(0);
      this.#windowStart = 0;
      this.#taken = 0;
      this.#isEnd = false;
      this.#inflated = [];
      this.#gunzip = this.#begin();
    }
    while (!this.#isEnd && this.#windowStart + this.#window.length < position + lengthBytes)
      await this.#inflate(position);
    const from = Math.max(0, position - this.#windowStart);
    return this.#window.slice(from, from + lengthBytes);
  }

  /** The size of the whole, decompressed. @throws GzipUnreadable */
  async size(): Promise<number> {
    while (!this.#isEnd) await this.#inflate(Number.MAX_SAFE_INTEGER);
    return this.#windowStart + this.#window.length;
  }

  async #inflate(wantedFrom: number): Promise<void> {
    const compressed = await this.#handle.read(this.#taken, COMPRESSED_BYTES);
    this.#taken += compressed.length;
    this.#isEnd = compressed.length < COMPRESSED_BYTES;
    try {
      this.#gunzip.push(compressed, this.#isEnd);
    } catch (cause) {
      throw new GzipUnreadable("the gzip file ends too soon or is damaged", { cause });
    }
    const room = Math.max(0, this.#windowStart + this.#window.length - (wantedFrom - KEPT_BYTES));
    const kept = this.#window.subarray(this.#window.length - Math.min(this.#window.length, room));
    const added = this.#inflated.splice(0);
    const window = new Uint8Array(added.reduce((sum, part) => sum + part.length, kept.length));
    window.set(kept);
    let at = kept.length;
    for (const part of added) {
      window.set(part, at);
      at += part.length;
    }
    this.#windowStart += this.#window.length - kept.length;
    this.#window = window;
  }
}

import type { Content, LogHandle } from "../content.ts";
import type { Decoder } from "./decoder.ts";

/** Compressed bytes taken at once; of gzip a byte becomes at most about a thousand. */
const COMPRESSED_BYTES = 16 * 1024;
/** What stays readable behind the furthest place that was read: the next read begins a little before it. */
const KEPT_BYTES = 4096;

/**
 * Has room for one compressed file at a time, since each that is half read holds what it decompresses with, a window of
 * up to 8 MiB. Whoever has to make room begins anew when it is read again.
 */
export class DecodingRoom {
  #inside: CompressedContent | undefined;

  enter(content: CompressedContent): void {
    if (this.#inside !== content) this.#inside?.leave();
    this.#inside = content;
  }
}

/** The decompressed bytes of a file, read forwards; reading further back begins anew. */
export class CompressedContent implements Content {
  readonly isCompressed = true;
  readonly #handle: LogHandle;
  readonly #newDecoder: () => Decoder;
  readonly #room: DecodingRoom;
  #pass: Pass | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(handle: LogHandle, newDecoder: () => Decoder, room: DecodingRoom) {
    this.#handle = handle;
    this.#newDecoder = newDecoder;
    this.#room = room;
  }

  /** @throws Undecodable */
  read(position: number, lengthBytes: number): Promise<Uint8Array> {
    return this.#inTurn(async () => {
      const pass = this.#passFrom(position);
      while (!pass.isEnd && pass.end < position + lengthBytes) await pass.goOn(position);
      return pass.slice(position, lengthBytes);
    });
  }

  /** The size of the whole, decompressed. @throws Undecodable */
  size(): Promise<number> {
    return this.#inTurn(async () => {
      const pass = this.#passFrom(Infinity);
      while (!pass.isEnd) await pass.goOn(Infinity);
      return pass.end;
    });
  }

  /** Gives its memory back; a read that is under way comes to its end. */
  leave(): void {
    this.#pass = undefined;
  }

  #passFrom(position: number): Pass {
    this.#room.enter(this);
    if (this.#pass === undefined || position < this.#pass.start)
      this.#pass = new Pass(this.#handle, this.#newDecoder());
    return this.#pass;
  }

  /** A pass serves one reader at a time. */
  #inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    const acted = this.#turn.then(act);
    this.#turn = acted.catch(() => undefined);
    return acted;
  }
}

/** One way through a file from its beginning, with the last of what it passed. */
class Pass {
  readonly #handle: LogHandle;
  readonly #decoder: Decoder;
  readonly #parts: Uint8Array[] = [];
  #takenBytes = 0;
  #isRead = false;
  /** Where what is still there begins and ends in the decompressed file. */
  start = 0;
  end = 0;
  isEnd = false;

  constructor(handle: LogHandle, decoder: Decoder) {
    this.#handle = handle;
    this.#decoder = decoder;
  }

  /** Decompresses or reads one piece more; what stands well before `wantedFrom` goes. */
  async goOn(wantedFrom: number): Promise<void> {
    const part = this.#decoder.take();
    if (part !== undefined) this.#add(part, wantedFrom);
    else if (this.#isRead) this.isEnd = true;
    else {
      const compressed = await this.#handle.read(this.#takenBytes, COMPRESSED_BYTES);
      this.#takenBytes += compressed.length;
      this.#isRead = compressed.length < COMPRESSED_BYTES;
      this.#decoder.push(compressed, this.#isRead);
    }
  }

  slice(position: number, lengthBytes: number): Uint8Array {
    const bytes = new Uint8Array(Math.max(0, Math.min(lengthBytes, this.end - position)));
    let at = this.start - position;
    for (const part of this.#parts) {
      if (at < bytes.length && at + part.length > 0)
        bytes.set(part.subarray(Math.max(0, -at), bytes.length - at), Math.max(0, at));
      at += part.length;
    }
    return bytes;
  }

  #add(part: Uint8Array, wantedFrom: number): void {
    this.#parts.push(part);
    this.end += part.length;
    for (let [first] = this.#parts; first !== undefined; [first] = this.#parts) {
      if (this.start + first.length > wantedFrom - KEPT_BYTES) return;
      this.start += first.length;
      this.#parts.shift();
    }
  }
}

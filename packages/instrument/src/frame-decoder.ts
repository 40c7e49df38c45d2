import { FRAME_BYTES_MAX, readFrame, type Frame, type FrameRefusal } from "./frame.ts";
import { cobs, type Framing } from "./framing.ts";

/** What a line carries: frames, the text a microcontroller prints while it starts, and damage. */
export type Decoded =
  | { readonly kind: "frame"; readonly frame: Frame }
  | { readonly kind: "boot-text"; readonly text: string }
  | { readonly kind: "refused"; readonly why: FrameRefusal };

/** Longer than any frame; boot text beyond it is cut, anything else beyond it is refused as one frame. */
const BETWEEN_BYTES_MAX = 2048;
/** Shorter runs of printable bytes are damage, not text. */
const TEXT_BYTES_MIN = 12;

/**
 * Takes bytes in any chunks and tells what they held. After damage it goes on at the next delimiter, so damage costs
 * the frame it is in and, where a delimiter was lost, the one after. Memory is bounded whatever arrives.
 */
export class FrameDecoder {
  readonly #held = new Uint8Array(BETWEEN_BYTES_MAX);
  readonly #plain = new Uint8Array(FRAME_BYTES_MAX);
  #length = 0;
  #overlong = false;
  #framesReceived = 0;
  #framesRefused = 0;
  readonly #receive: (decoded: Decoded) => void;
  readonly #framing: Framing;

  constructor(receive: (decoded: Decoded) => void, framing: Framing = cobs) {
    this.#receive = receive;
    this.#framing = framing;
  }

  get framesReceived(): number {
    return this.#framesReceived;
  }
  get framesRefused(): number {
    return this.#framesRefused;
  }

  push(chunk: Uint8Array): void {
    let start = 0;
    for (;;) {
      const next = chunk.indexOf(this.#framing.delimiter, start);
      const end = next < 0 ? chunk.length : next;
      if (next >= 0 && this.#length === 0) this.#take(chunk, start, end);
      else {
        this.#hold(chunk, start, end);
        if (next >= 0) {
          const length = this.#length;
          this.#length = 0;
          this.#take(this.#held, 0, length);
        }
      }
      if (next < 0) return;
      this.#overlong = false;
      start = next + 1;
    }
  }

  #hold(chunk: Uint8Array, start: number, end: number): void {
    const fits = Math.min(end - start, BETWEEN_BYTES_MAX - this.#length);
    this.#held.set(chunk.subarray(start, start + fits), this.#length);
    this.#length += fits;
    if (fits < end - start) this.#overlong = true;
  }

  #take(bytes: Uint8Array, start: number, end: number): void {
    if (end === start) return;
    let why: FrameRefusal = "long";
    if (!this.#overlong && end - start <= this.#framing.encodedMax(FRAME_BYTES_MAX)) {
      const length = this.#framing.decode(bytes, start, end, this.#plain);
      const frame = length < 0 ? "stuffing" : readFrame(this.#plain, length);
      if (typeof frame === "object") {
        this.#framesReceived++;
        this.#receive({ kind: "frame", frame });
        return;
      }
      why = frame;
    }
    // Only what is no frame may be text: a frame of printable bytes stays a frame.
    if (isText(bytes, start, end)) {
      this.#receive({ kind: "boot-text", text: textOf(bytes, start, end) });
      return;
    }
    this.#framesRefused++;
    this.#receive({ kind: "refused", why });
  }
}

/** A boot loader prints ASCII lines; a damaged frame of ours has counters and floats, whose bytes do not look so. */
function isText(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < TEXT_BYTES_MIN) return false;
  let printable = 0;
  for (let index = start; index < end; index++) {
    const byte = bytes[index] ?? 0;
    if ((byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d || byte === 0x09 || byte === 0x1b)
      printable++;
  }
  return printable >= 0.9 * (end - start);
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return new TextDecoder().decode(bytes.subarray(start, end)).trim();
}

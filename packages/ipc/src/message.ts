import { crc32 } from "node:zlib";
import { FramingError } from "./framing-error.ts";
import {
  decodeHeaders,
  HEADER_BLOCK_BYTES_MAX,
  type Header,
  headerBlockBytes,
  writeHeaders,
} from "./header-block.ts";

/** One event-stream message: typed headers and a payload. */
export interface Message {
  readonly headers: readonly Header[];
  readonly payload: Uint8Array;
}

/** The whole message, prelude and checksums included, as the common runtime of the official clients allows it. */
export const MESSAGE_BYTES_MAX = 24 * 1024 * 1024;
const PRELUDE_BYTES = 12;
/** What a decoder keeps between messages. */
const IDLE_BYTES = 4096;
const MESSAGE_BYTES_MIN = PRELUDE_BYTES + 4;

/** The message as bytes; throws `FramingError` where it is over a limit. */
export function encodeMessage(message: Message): Uint8Array {
  const headerBytes = headerBlockBytes(message.headers);
  const totalBytes = MESSAGE_BYTES_MIN + headerBytes + message.payload.length;
  if (totalBytes > MESSAGE_BYTES_MAX)
    throw new FramingError(
      `cannot encode a message of ${totalBytes} bytes: ${MESSAGE_BYTES_MAX} are allowed; send less at once`,
    );
  // Of the pool: memory of its own for each message costs more than what is written into it.
  const bytes = Buffer.allocUnsafe(totalBytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, totalBytes);
  view.setUint32(0, totalBytes);
  view.setUint32(4, headerBytes);
  view.setUint32(8, crc32(bytes.subarray(0, 8)));
  writeHeaders(message.headers, bytes.subarray(PRELUDE_BYTES, PRELUDE_BYTES + headerBytes));
  bytes.set(message.payload, PRELUDE_BYTES + headerBytes);
  view.setUint32(totalBytes - 4, crc32(bytes.subarray(0, totalBytes - 4)));
  return bytes;
}

/**
 * Cuts a byte stream into messages, however it was split on its way. After it has thrown a `FramingError` the stream
 * has no known boundary any more: every further `push` throws the same.
 */
export class MessageDecoder {
  /** What was received of the message in progress; as large as needed so far, never as large as a prelude claims. */
  #held = new Uint8Array(IDLE_BYTES);
  #heldBytes = 0;
  #failed: FramingError | undefined;

  /** Takes the next bytes and calls `receive` for each message that they complete, in order. */
  push(chunk: Uint8Array, receive: (message: Message) => void): void {
    if (this.#failed !== undefined) throw this.#failed;
    let rest = chunk;
    while (rest.length > 0) {
      rest = this.#heldBytes === 0 ? this.#whole(rest, receive) : this.#complete(rest, receive);
    }
  }

  /** Nothing is held: messages that lie in the chunk whole are read from it, what is left over is held. */
  #whole(chunk: Uint8Array, receive: (message: Message) => void): Uint8Array {
    if (chunk.length >= PRELUDE_BYTES) {
      const totalBytes = this.#guard(() => totalBytesOf(chunk));
      if (chunk.length >= totalBytes) {
        receive(this.#guard(() => decode(chunk.subarray(0, totalBytes))));
        return chunk.subarray(totalBytes);
      }
    }
    this.#hold(chunk);
    return chunk.subarray(chunk.length);
  }

  /** Something is held: takes no more than the message in progress needs. */
  #complete(chunk: Uint8Array, receive: (message: Message) => void): Uint8Array {
    const held = this.#held.subarray(0, this.#heldBytes);
    const wantedBytes =
      this.#heldBytes < PRELUDE_BYTES ? PRELUDE_BYTES : this.#guard(() => totalBytesOf(held));
    const taken = chunk.subarray(0, wantedBytes - this.#heldBytes);
    this.#hold(taken);
    const whole = this.#held.subarray(0, this.#heldBytes);
    if (whole.length >= PRELUDE_BYTES && this.#guard(() => totalBytesOf(whole)) === whole.length) {
      this.#heldBytes = 0;
      if (this.#held.length > 16 * IDLE_BYTES) this.#held = new Uint8Array(IDLE_BYTES);
      receive(this.#guard(() => decode(whole)));
    }
    return chunk.subarray(taken.length);
  }

  #hold(bytes: Uint8Array): void {
    const neededBytes = this.#heldBytes + bytes.length;
    if (neededBytes > this.#held.length) {
      const larger = new Uint8Array(Math.max(neededBytes, 2 * this.#held.length));
      larger.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = larger;
    }
    this.#held.set(bytes, this.#heldBytes);
    this.#heldBytes = neededBytes;
  }

  #guard<Result>(read: () => Result): Result {
    try {
      return read();
    } catch (thrown) {
      if (thrown instanceof FramingError) this.#failed = thrown;
      throw thrown;
    }
  }
}

/** The length that a prelude states, once its checksum and limits hold. */
function totalBytesOf(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, PRELUDE_BYTES);
  if (view.getUint32(8) !== crc32(bytes.subarray(0, 8)))
    throw new FramingError("malformed message: the checksum of its prelude does not fit");
  const totalBytes = view.getUint32(0);
  const headerBytes = view.getUint32(4);
  if (totalBytes < MESSAGE_BYTES_MIN || totalBytes > MESSAGE_BYTES_MAX)
    throw new FramingError(
      `malformed message: a length of ${totalBytes} bytes, ${MESSAGE_BYTES_MIN} to ${MESSAGE_BYTES_MAX} are allowed`,
    );
  if (headerBytes > HEADER_BLOCK_BYTES_MAX || headerBytes > totalBytes - MESSAGE_BYTES_MIN)
    throw new FramingError(
      `malformed message: ${headerBytes} bytes of headers in a message of ${totalBytes}; at most ${HEADER_BLOCK_BYTES_MAX} are allowed`,
    );
  return totalBytes;
}

/** Reads a whole message whose prelude was checked. What it returns shares no memory with `bytes`. */
function decode(bytes: Uint8Array): Message {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.length - 4;
  if (view.getUint32(end) !== crc32(bytes.subarray(0, end)))
    throw new FramingError(`malformed message: the checksum of its ${bytes.length} bytes does not fit`);
  const headersEnd = PRELUDE_BYTES + view.getUint32(4);
  const payload = Buffer.from(bytes.subarray(headersEnd, end));
  return {
    headers: decodeHeaders(bytes.subarray(PRELUDE_BYTES, headersEnd)),
    payload: new Uint8Array(payload.buffer, payload.byteOffset, payload.length),
  };
}

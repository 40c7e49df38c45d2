import { cobs, type Framing } from "./framing.ts";
import { crc32 } from "@coalmine/runtime/crc32";

/** The protocol spoken here. A frame of another version is refused, never guessed at. */
export const PROTOCOL_VERSION = 1;

/** What travels between two delimiters, here as COBS has it: `COBS(version u8, type u8, sequence u32, boot u32, device µs u64, payload, CRC-32 u32)`, little-endian. */
export interface Frame {
  readonly type: number;
  /** Of a reading: its sequence number in this boot. Of a request and its answer: the request's number. */
  readonly sequence: number;
  /** Which start of the instrument this belongs to; 0 from a host. */
  readonly boot: number;
  /** The instrument's own counter of microseconds since that start; 0 from a host. */
  readonly deviceUs: number;
  readonly payload: Uint8Array;
}

export const HEADER_BYTES = 18;
export const PAYLOAD_BYTES_MAX = 200;
export const FRAME_BYTES_MAX = HEADER_BYTES + PAYLOAD_BYTES_MAX + 4;

/** A frame is put together here and is on its way before the next one: an allocation less for each. */
const scratch = new Uint8Array(FRAME_BYTES_MAX);
const scratchView = new DataView(scratch.buffer);

/** The frame as it goes over the line, a delimiter before it (which ends whatever the line held) and one after it. */
export function encodeFrame(frame: Frame, framing: Framing = cobs): Uint8Array {
  const payloadBytes = frame.payload.length;
  if (payloadBytes > PAYLOAD_BYTES_MAX)
    throw new RangeError(
      `Cannot frame a payload of ${payloadBytes} bytes: a frame carries at most ${PAYLOAD_BYTES_MAX}; split the message.`,
    );
  const plain = scratch.subarray(0, HEADER_BYTES + payloadBytes + 4);
  const view = scratchView;
  plain[0] = PROTOCOL_VERSION;
  plain[1] = frame.type;
  view.setUint32(2, frame.sequence, true);
  view.setUint32(6, frame.boot, true);
  view.setUint32(10, frame.deviceUs % 2 ** 32, true);
  view.setUint32(14, Math.floor(frame.deviceUs / 2 ** 32), true);
  plain.set(frame.payload, HEADER_BYTES);
  const crcAt = HEADER_BYTES + payloadBytes;
  view.setUint32(crcAt, crc32(plain.subarray(0, crcAt)), true);
  const line = new Uint8Array(framing.encodedMax(plain.length) + 2);
  const end = framing.encode(plain, line, 1);
  line[0] = framing.delimiter;
  line[end] = framing.delimiter;
  return line.subarray(0, end + 1);
}

/** Reads decoded bytes as a frame, or says why they are none. The payload is a copy. */
export function readFrame(plain: Uint8Array, lengthBytes: number): Frame | FrameRefusal {
  if (lengthBytes < HEADER_BYTES + 4) return "short";
  const view = new DataView(plain.buffer, plain.byteOffset, lengthBytes);
  const crcAt = lengthBytes - 4;
  if (view.getUint32(crcAt, true) !== crc32(plain.subarray(0, crcAt))) return "checksum";
  if (plain[0] !== PROTOCOL_VERSION) return "version";
  return {
    type: view.getUint8(1),
    sequence: view.getUint32(2, true),
    boot: view.getUint32(6, true),
    deviceUs: view.getUint32(14, true) * 2 ** 32 + view.getUint32(10, true),
    payload: plain.slice(HEADER_BYTES, crcAt),
  };
}

/** Why bytes between two delimiters are no frame of ours. */
export type FrameRefusal = "short" | "stuffing" | "checksum" | "version" | "long";

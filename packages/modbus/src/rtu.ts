import { crc16 } from "./crc16.ts";
import { readReply, type ReadRequest, type Reply } from "./request.ts";

/** An RTU frame: unit, PDU, CRC-16 with its low byte first. @see MODBUS over Serial Line V1.02, section 2.5.1 */
export function rtuFrame(unit: number, pdu: Uint8Array): Uint8Array {
  const frame = new Uint8Array(pdu.length + 3);
  frame[0] = unit;
  frame.set(pdu, 1);
  const crc = crc16(frame, 0, pdu.length + 1);
  frame[pdu.length + 1] = crc & 0xff;
  frame[pdu.length + 2] = crc >> 8;
  return frame;
}

/** No RTU frame is longer. */
export const RTU_BYTES_MAX = 256;
const EXCEPTION_BYTES = 5;

/**
 * The answer to `request` anywhere in what the line brought since it was asked; noise before it is passed over. Only what
 * has its unit, function, length and checksum is an answer; undefined where it may still come.
 */
export function findReply(request: ReadRequest, heard: Uint8Array): Reply | undefined {
  for (let at = 0; at + EXCEPTION_BYTES <= heard.length; at++) {
    if (heard[at] !== request.unit) continue;
    const code = heard[at + 1];
    const isException = code === (request.function | 0x80);
    if (code !== request.function && !isException) continue;
    const end = at + (isException ? EXCEPTION_BYTES : 5 + (heard[at + 2] ?? 0));
    const reply = readReply(request, heard.subarray(at + 1, end - 2));
    if (reply === undefined || end > heard.length) continue;
    if (hasCrc(heard, at, end)) return reply;
  }
  return undefined;
}

/** Whether a whole frame with a right checksum lies in `heard[at, end)`. */
export function hasCrc(heard: Uint8Array, at: number, end: number): boolean {
  const crc = crc16(heard, at, end - 2);
  return end - at >= 4 && heard[end - 2] === (crc & 0xff) && heard[end - 1] === crc >> 8;
}

/** 3.5 characters of 11 bits; from 19,200 baud on a fixed 1.75 ms. @see MODBUS over Serial Line V1.02, section 2.5.1.1 */
export function silenceMs(baudRate: number): number {
  return baudRate > 19_200 ? 1.75 : (3.5 * 11 * 1000) / baudRate;
}

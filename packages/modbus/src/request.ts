/**
 * What is asked of a slave and what it answers, without the framing of a line.
 * @see MODBUS Application Protocol Specification V1.1b3, sections 6.1 to 6.4 and 7
 */

/** 1 coils, 2 discrete inputs, 3 holding registers, 4 input registers. */
export type ReadFunction = 1 | 2 | 3 | 4;

export interface ReadRequest {
  /** 1 … 247 on a serial line; 255 or 0 for a device that is reached by TCP itself. */
  readonly unit: number;
  readonly function: ReadFunction;
  /** As it goes over the line: from 0. */
  readonly address: number;
  /** Bits of functions 1 and 2, registers of 3 and 4. */
  readonly count: number;
}

/** The most that one answer carries. */
export const BITS_MAX = 2000;
export const REGISTERS_MAX = 125;

/** A slave's refusal, by its code. @see section 7 of the specification */
export const exceptionNames: Readonly<Record<number, string>> = {
  1: "illegal function",
  2: "illegal data address",
  3: "illegal data value",
  4: "server device failure",
  5: "acknowledge",
  6: "server device busy",
  8: "memory parity error",
  10: "gateway path unavailable",
  11: "gateway target device failed to respond",
};
export const ILLEGAL_ADDRESS = 2;
export const ILLEGAL_VALUE = 3;

/** Function code and data, as both framings carry it. */
export function requestPdu({ function: code, address, count }: ReadRequest): Uint8Array {
  return Uint8Array.of(code, address >> 8, address & 0xff, count >> 8, count & 0xff);
}

/** How many bytes of data answer it. */
export function dataBytes({ function: code, count }: ReadRequest): number {
  return code <= 2 ? Math.ceil(count / 8) : 2 * count;
}

export type Reply =
  | { readonly kind: "values"; readonly data: Uint8Array }
  | { readonly kind: "exception"; readonly code: number };

/** The answer to `request` in this PDU, or undefined where it answers something else. */
export function readReply(request: ReadRequest, pdu: Uint8Array): Reply | undefined {
  const [code, second = 0] = pdu;
  if (code === (request.function | 0x80) && pdu.length === 2) return { kind: "exception", code: second };
  const bytes = dataBytes(request);
  return code === request.function && second === bytes && pdu.length === 2 + bytes
    ? { kind: "values", data: pdu.slice(2) }
    : undefined;
}

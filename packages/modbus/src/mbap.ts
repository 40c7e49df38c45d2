/** A Modbus TCP frame: transaction u16, protocol 0 u16, length u16, unit u8, PDU. @see MODBUS Messaging on TCP/IP V1.0b */
export function mbapFrame(transaction: number, unit: number, pdu: Uint8Array): Uint8Array {
  const frame = new Uint8Array(7 + pdu.length);
  const view = new DataView(frame.buffer);
  view.setUint16(0, transaction);
  view.setUint16(4, pdu.length + 1);
  view.setUint8(6, unit);
  frame.set(pdu, 7);
  return frame;
}

export interface MbapFrame {
  readonly transaction: number;
  readonly unit: number;
  readonly pdu: Uint8Array;
}

/** Unit and PDU: the specification's 253 and one. */
const LENGTH_MAX = 254;

/**
 * Takes bytes in any chunks. After what cannot be a header it goes on byte by byte, so garbage costs the frames it is in.
 * Holds at most one frame.
 */
export class MbapDecoder {
  #held = new Uint8Array(0);
  readonly #receive: (frame: MbapFrame) => void;
  /** Bytes that belonged to no frame. */
  bytesSkipped = 0;

  constructor(receive: (frame: MbapFrame) => void) {
    this.#receive = receive;
  }

  push(chunk: Uint8Array): void {
    const bytes = new Uint8Array(this.#held.length + chunk.length);
    bytes.set(this.#held);
    bytes.set(chunk, this.#held.length);
    const view = new DataView(bytes.buffer);
    let at = 0;
    while (at + 8 <= bytes.length) {
      const length = view.getUint16(at + 4);
      if (view.getUint16(at + 2) !== 0 || length < 2 || length > LENGTH_MAX) {
        at++;
        this.bytesSkipped++;
        continue;
      }
      if (at + 6 + length > bytes.length) break;
      this.#receive({
        transaction: view.getUint16(at),
        unit: view.getUint8(at + 6),
        pdu: bytes.slice(at + 7, at + 6 + length),
      });
      at += 6 + length;
    }
    this.#held = bytes.slice(at);
  }
}

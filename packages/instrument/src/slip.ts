const END = 0xc0;
const ESC = 0xdb;
const ESC_END = 0xdc;
const ESC_ESC = 0xdd;

/** SLIP: 0xC0 between packets, escaped within. @see RFC 1055 */
export function slipEncode(bytes: Uint8Array, into: Uint8Array, at: number): number {
  let write = at;
  for (const byte of bytes)
    if (byte === END || byte === ESC) {
      into[write++] = ESC;
      into[write++] = byte === END ? ESC_END : ESC_ESC;
    } else into[write++] = byte;
  return write;
}

export function slipEncodedMax(lengthBytes: number): number {
  return 2 * lengthBytes;
}

/** -1 where an escape is followed by anything else, or where there is more than `into` takes. */
export function slipDecode(from: Uint8Array, start: number, end: number, into: Uint8Array): number {
  let write = 0;
  for (let read = start; read < end; read++) {
    let byte = from[read] ?? 0;
    if (byte === ESC) {
      const escaped = from[++read];
      if (read >= end || (escaped !== ESC_END && escaped !== ESC_ESC)) return -1;
      byte = escaped === ESC_END ? END : ESC;
    }
    if (write >= into.length) return -1;
    into[write++] = byte;
  }
  return write;
}

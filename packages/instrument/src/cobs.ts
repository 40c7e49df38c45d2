/**
 * Consistent Overhead Byte Stuffing: any bytes become bytes without a zero, at a cost of one byte in 254.
 * @see Cheshire and Baker, IEEE/ACM Transactions on Networking 7(2), 1999
 */
export function cobsEncode(bytes: Uint8Array, into: Uint8Array, at: number): number {
  let codeAt = at;
  let code = 1;
  let write = at + 1;
  for (let read = 0; read < bytes.length; read++) {
    const byte = bytes[read] ?? 0;
    if (byte !== 0) {
      into[write++] = byte;
      code++;
    }
    // A full block of 254 needs no zero after it; it is closed at once unless the bytes end here.
    if (byte === 0 || (code === 0xff && read + 1 < bytes.length)) {
      into[codeAt] = code;
      codeAt = write++;
      code = 1;
    }
  }
  into[codeAt] = code;
  return write;
}

/** The most bytes that `lengthBytes` can become. */
export function cobsEncodedMax(lengthBytes: number): number {
  return lengthBytes + Math.ceil(lengthBytes / 254) + 1;
}

/** Decodes `from[start, end)`, which holds no zero, into `into`; how many bytes, or -1 where it cannot be COBS. */
export function cobsDecode(from: Uint8Array, start: number, end: number, into: Uint8Array): number {
  let read = start;
  let write = 0;
  while (read < end) {
    const code = from[read++] ?? 0;
    const blockEnd = read + code - 1;
    if (code === 0 || blockEnd > end || write + code > into.length + 1) return -1;
    while (read < blockEnd) into[write++] = from[read++] ?? 0;
    if (code !== 0xff && read < end) {
      if (write >= into.length) return -1;
      into[write++] = 0;
    }
  }
  return write;
}

/** CRC-32 as gzip has it, four bytes a step. In JavaScript, since frames are also made where only the ports exist. */

const tables = makeTables();

/** The checksum of `bytes`; `previous` continues a running one. */
export function crc32(bytes: Uint8Array, previous = 0): number {
  const [t0, t1, t2, t3] = tables;
  let crc = ~previous;
  let index = 0;
  for (const end = bytes.length - 3; index < end; index += 4) {
    crc ^= at(bytes, index) | (at(bytes, index + 1) << 8) | (at(bytes, index + 2) << 16);
    crc ^= at(bytes, index + 3) << 24;
    crc =
      word(t3, crc & 0xff) ^
      word(t2, (crc >>> 8) & 0xff) ^
      word(t1, (crc >>> 16) & 0xff) ^
      word(t0, crc >>> 24);
  }
  for (; index < bytes.length; index++) crc = word(t0, (crc ^ at(bytes, index)) & 0xff) ^ (crc >>> 8);
  return ~crc >>> 0;
}

function makeTables(): readonly [Int32Array, Int32Array, Int32Array, Int32Array] {
  const made = [0, 1, 2, 3].map(() => new Int32Array(256));
  const [t0 = new Int32Array(256), t1 = t0, t2 = t0, t3 = t0] = made;
  for (let index = 0; index < 256; index++) {
    let crc = index;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    t0[index] = crc;
  }
  for (let index = 0; index < 256; index++) {
    t1[index] = follow(word(t0, index), t0);
    t2[index] = follow(word(t1, index), t0);
    t3[index] = follow(word(t2, index), t0);
  }
  return [t0, t1, t2, t3];
}

function follow(crc: number, t0: Int32Array): number {
  return (crc >>> 8) ^ word(t0, crc & 0xff);
}

function at(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}

function word(table: Int32Array, index: number): number {
  return table[index] ?? 0;
}

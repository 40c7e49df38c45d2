/** CRC-32 as gzip has it, eight bytes a step. In JavaScript, since frames are also made where only the ports exist. */

const [t0, t1, t2, t3, t4, t5, t6, t7] = makeTables();

/** The checksum of `bytes`; `previous` continues a running one. */
export function crc32(bytes: Uint8Array, previous = 0): number {
  let crc = ~previous;
  let index = 0;
  for (const end = bytes.length - 7; index < end; index += 8) {
    crc ^= at(bytes, index) | (at(bytes, index + 1) << 8) | (at(bytes, index + 2) << 16);
    crc ^= at(bytes, index + 3) << 24;
    crc =
      word(t7, crc & 0xff) ^
      word(t6, (crc >>> 8) & 0xff) ^
      word(t5, (crc >>> 16) & 0xff) ^
      word(t4, crc >>> 24) ^
      word(t3, at(bytes, index + 4)) ^
      word(t2, at(bytes, index + 5)) ^
      word(t1, at(bytes, index + 6)) ^
      word(t0, at(bytes, index + 7));
  }
  for (; index < bytes.length; index++) crc = word(t0, (crc ^ at(bytes, index)) & 0xff) ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** The first is for one byte, each further one for a byte that another follows. */
function makeTables() {
  const first = new Int32Array(256);
  for (let index = 0; index < 256; index++) {
    let crc = index;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    first[index] = crc;
  }
  const next = (table: Int32Array): Int32Array => table.map((crc) => follow(crc, first));
  const second = next(first);
  const third = next(second);
  const fourth = next(third);
  const fifth = next(fourth);
  const sixth = next(fifth);
  const seventh = next(sixth);
  return [first, second, third, fourth, fifth, sixth, seventh, next(seventh)] as const;
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

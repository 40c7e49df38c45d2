/** As much of ASN.1's DER as certificates and requests need. @see ITU-T X.690 */

function tlv(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const digits = length.toString(16);
  const size = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex");
  return Buffer.concat([Buffer.from([tag, 0x80 | size.length]), size, content]);
}

export const der = {
  sequence: (...items: readonly Uint8Array[]) => tlv(0x30, ...items),
  set: (...items: readonly Uint8Array[]) => tlv(0x31, ...items),
  boolean: (value: boolean) => tlv(0x01, Buffer.from([value ? 0xff : 0])),
  /** Big-endian bytes of a number that is not negative. */
  integer: (bytes: Uint8Array) =>
    tlv(0x02, (bytes[0] ?? 0) & 0x80 ? Buffer.from([0]) : Buffer.alloc(0), bytes),
  bitString: (bytes: Uint8Array, unusedBits = 0) => tlv(0x03, Buffer.from([unusedBits]), bytes),
  octetString: (bytes: Uint8Array) => tlv(0x04, bytes),
  utf8: (text: string) => tlv(0x0c, Buffer.from(text)),
  oid: (dotted: string) => {
    const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
    return tlv(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
  },
  /** Years to 2049 as UTCTime, later ones as GeneralizedTime (RFC 5280, 4.1.2.5). */
  time: (instant: number) => {
    const digits = `${new Date(instant).toISOString().slice(0, 19).replace(/\D/g, "")}Z`;
    return digits < "2050" ? tlv(0x17, Buffer.from(digits.slice(2))) : tlv(0x18, Buffer.from(digits));
  },
  /** A member with a number of its own: constructed, or the bytes of a simple value. */
  context: (number: number, content: Uint8Array, kind: "constructed" | "simple") =>
    tlv((kind === "constructed" ? 0xa0 : 0x80) | number, content),
} as const;

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) digits.unshift(0x80 | (rest & 0x7f));
  return digits;
}

export interface DerItem {
  readonly tag: number;
  readonly content: Buffer;
  /** With its tag and length. */
  readonly whole: Buffer;
}

/** The items that lie one after the other in these bytes. @throws RangeError where they are no DER. */
export function derItems(bytes: Buffer): DerItem[] {
  const items: DerItem[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes.readUInt8(at);
    const short = bytes.readUInt8(at + 1);
    const sizeBytes = short < 0x80 ? 0 : short & 0x7f;
    if (short === 0x80 || sizeBytes > 4) throw new RangeError("a length is not DER");
    const length = sizeBytes === 0 ? short : bytes.readUIntBE(at + 2, sizeBytes);
    const start = at + 2 + sizeBytes;
    if (start + length > bytes.length) throw new RangeError("an item is longer than what holds it");
    items.push({
      tag,
      content: bytes.subarray(start, start + length),
      whole: bytes.subarray(at, start + length),
    });
    at = start + length;
  }
  return items;
}

const PRIME_1 = 0x9e3779b185ebca87n;
const PRIME_2 = 0xc2b2ae3d27d4eb4fn;
const PRIME_3 = 0x165667b19e3779f9n;
const PRIME_4 = 0x85ebca77c2b2ae63n;
const PRIME_5 = 0x27d4eb2f165667c5n;
const LOW_1 = 0x85ebca87 | 0;
const HIGH_1 = 0x9e3779b1 | 0;
const LOW_2 = 0x27d4eb4f | 0;
const HIGH_2 = 0xc2b2ae3d | 0;
const LANES = 4;
const STRIPE_BYTES = 8 * LANES;

/**
 * XXH64 with seed 0, which seals a Zstandard frame. The lanes are kept in halves of 32 bits: with BigInt they take ten
 * times as long.
 * @see https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
 */
export class Xxh64 {
  /** Low and high half of each lane. */
  readonly #lanes = new Int32Array(2 * LANES);
  readonly #rest = new Uint8Array(STRIPE_BYTES);
  #restBytes = 0;
  #bytes = 0;

  constructor() {
    for (const [lane, value] of [PRIME_1 + PRIME_2, PRIME_2, 0n, -PRIME_1].entries()) {
      this.#lanes[2 * lane] = Number(BigInt.asIntN(32, value));
      this.#lanes[2 * lane + 1] = Number(BigInt.asIntN(32, value >> 32n));
    }
  }

  update(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    let at = 0;
    if (this.#restBytes > 0) {
      at = this.#keep(bytes.subarray(0, STRIPE_BYTES - this.#restBytes));
      if (this.#restBytes < STRIPE_BYTES) return;
      this.#stripes(this.#rest);
      this.#restBytes = 0;
    }
    const end = bytes.length - ((bytes.length - at) % STRIPE_BYTES);
    this.#stripes(bytes.subarray(at, end));
    this.#keep(bytes.subarray(end));
  }

  digest(): bigint {
    const [a = 0n, b = 0n, c = 0n, d = 0n] = Array.from({ length: LANES }, (_, lane) => this.#lane(lane));
    let hash = PRIME_5;
    if (this.#bytes >= STRIPE_BYTES) {
      hash = u64(rotated(a, 1n) + rotated(b, 7n) + rotated(c, 12n) + rotated(d, 18n));
      for (const lane of [a, b, c, d]) hash = u64((hash ^ mixed(lane)) * PRIME_1 + PRIME_4);
    }
    hash = u64(hash + BigInt(this.#bytes));
    const view = new DataView(this.#rest.buffer, 0, this.#restBytes);
    let at = 0;
    for (; at + 8 <= view.byteLength; at += 8)
      hash = u64(rotated(hash ^ mixed(view.getBigUint64(at, true)), 27n) * PRIME_1 + PRIME_4);
    if (at + 4 <= view.byteLength) {
      hash = u64(rotated(hash ^ u64(BigInt(view.getUint32(at, true)) * PRIME_1), 23n) * PRIME_2 + PRIME_3);
      at += 4;
    }
    for (; at < view.byteLength; at++)
      hash = u64(rotated(hash ^ u64(BigInt(view.getUint8(at)) * PRIME_5), 11n) * PRIME_1);
    hash = u64((hash ^ (hash >> 33n)) * PRIME_2);
    hash = u64((hash ^ (hash >> 29n)) * PRIME_3);
    return hash ^ (hash >> 32n);
  }

  #keep(bytes: Uint8Array): number {
    this.#rest.set(bytes, this.#restBytes);
    this.#restBytes += bytes.length;
    return bytes.length;
  }

  #stripes(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < bytes.length; at += 8)
      this.#round((at >> 3) % LANES, view.getInt32(at, true), view.getInt32(at + 4, true));
  }

  /** lane = rotated(lane + input · PRIME_2, 31) · PRIME_1 */
  #round(lane: number, low: number, high: number): void {
    const lanes = this.#lanes;
    const sumLow = ((lanes[2 * lane] ?? 0) >>> 0) + (Math.imul(low, LOW_2) >>> 0);
    const sumHigh = (lanes[2 * lane + 1] ?? 0) + highOfProduct(low, high, LOW_2, HIGH_2);
    const addedHigh = sumHigh + (sumLow > 0xffff_ffff ? 1 : 0);
    const rotatedLow = (sumLow << 31) | ((addedHigh | 0) >>> 1);
    const rotatedHigh = (addedHigh << 31) | ((sumLow | 0) >>> 1);
    lanes[2 * lane] = Math.imul(rotatedLow, LOW_1);
    lanes[2 * lane + 1] = highOfProduct(rotatedLow, rotatedHigh, LOW_1, HIGH_1);
  }

  #lane(lane: number): bigint {
    const [low = 0, high = 0] = this.#lanes.subarray(2 * lane);
    return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  }
}

/** The upper 32 of the lower 64 bits of a product of 64-bit numbers. */
function highOfProduct(low: number, high: number, byLow: number, byHigh: number): number {
  const a = low & 0xffff;
  const b = low >>> 16;
  const c = byLow & 0xffff;
  const d = byLow >>> 16;
  const ad = Math.imul(a, d);
  const bc = Math.imul(b, c);
  const middle = (Math.imul(a, c) >>> 16) + (ad & 0xffff) + (bc & 0xffff);
  const carried = Math.imul(b, d) + (ad >>> 16) + (bc >>> 16) + (middle >>> 16);
  return (carried + Math.imul(high, byLow) + Math.imul(low, byHigh)) | 0;
}

function mixed(value: bigint): bigint {
  return u64(rotated(u64(value * PRIME_2), 31n) * PRIME_1);
}

function rotated(value: bigint, bits: bigint): bigint {
  return u64(value << bits) | (value >> (64n - bits));
}

function u64(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}

import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

/** The checksums that S3 keeps beside an object, base64 of the big-endian value. */
export const checksumAlgorithms = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const;
export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number];

export function checksumHeaderOf(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

export function checksumOf(algorithm: ChecksumAlgorithm, bytes: Uint8Array): string {
  switch (algorithm) {
    case "CRC32":
      return base64Of32(crc32(bytes));
    case "CRC32C":
      return base64Of32(crc32c(bytes));
    case "CRC64NVME":
      return crc64nvme(bytes).toString("base64");
    case "SHA1":
      return createHash("sha1").update(bytes).digest("base64");
    case "SHA256":
      break;
  }
  return createHash("sha256").update(bytes).digest("base64");
}

function base64Of32(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes.toString("base64");
}

/** Castagnoli, reflected. */
const crc32cTable = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f6_3b78 : value >>> 1;
  return value >>> 0;
});

function crc32c(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (crc32cTable[(crc ^ byte) & 0xff] ?? 0);
  return ~crc >>> 0;
}

/** CRC-64/NVME, reflected, in two halves: BigInt would be twenty times slower. */
const POLYNOMIAL_HIGH = 0x9a6c_9329;
const POLYNOMIAL_LOW = 0xac4b_c9b5;
const tableHigh = new Uint32Array(256);
const tableLow = new Uint32Array(256);
for (let index = 0; index < 256; index++) {
  let high = 0;
  let low = index;
  for (let bit = 0; bit < 8; bit++) {
    const isOdd = (low & 1) === 1;
    low = (low >>> 1) | ((high & 1) << 31);
    high >>>= 1;
    if (isOdd) {
      high ^= POLYNOMIAL_HIGH;
      low ^= POLYNOMIAL_LOW;
    }
  }
  tableHigh[index] = high;
  tableLow[index] = low;
}

function crc64nvme(bytes: Uint8Array): Buffer {
  let high = 0xffff_ffff;
  let low = 0xffff_ffff;
  for (const byte of bytes) {
    const index = (low ^ byte) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ (tableLow[index] ?? 0);
    high = (high >>> 8) ^ (tableHigh[index] ?? 0);
  }
  const value = Buffer.alloc(8);
  value.writeUInt32BE(~high >>> 0, 0);
  value.writeUInt32BE(~low >>> 0, 4);
  return value;
}

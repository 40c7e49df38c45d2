import { crc32 } from "node:zlib";

/**
 * Records of the write-ahead log: length, CRC-32 of the payload, payload. A record is one commit, whole or not at all.
 * A file begins with its magic, so that a later version can tell.
 */
export const MAGIC = Buffer.from("CMCLOUD1\n", "latin1");
const HEADER_BYTES = 8;
export const RECORD_BYTES_MAX = 256 * 1024 * 1024;

/** `[table, key, value]` sets, `[table, key]` deletes. */
export type Mutation = readonly [table: string, key: string, value?: unknown];

export function encodeRecord(mutations: readonly Mutation[]): Buffer {
  const payload = Buffer.from(JSON.stringify(mutations), "utf8");
  const record = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  record.writeUInt32LE(payload.length, 0);
  record.writeUInt32LE(crc32(payload), 4);
  payload.copy(record, HEADER_BYTES);
  return record;
}

/** Gives every whole record to `apply`; returns where the whole ones end. What follows is torn or absent. */
export function readRecords(bytes: Buffer, apply: (mutations: readonly Mutation[]) => void): number {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return 0;
  let at = MAGIC.length;
  while (at + HEADER_BYTES <= bytes.length) {
    const length = bytes.readUInt32LE(at);
    const end = at + HEADER_BYTES + length;
    if (length === 0 || length > RECORD_BYTES_MAX || end > bytes.length) break;
    const payload = bytes.subarray(at + HEADER_BYTES, end);
    if (crc32(payload) !== bytes.readUInt32LE(at + 4)) break;
    const mutations: unknown = JSON.parse(payload.toString("utf8"));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the checksum says that we wrote it.
    apply(mutations as readonly Mutation[]);
    at = end;
  }
  return at;
}

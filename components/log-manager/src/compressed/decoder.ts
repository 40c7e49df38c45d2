/** Decompresses a file that is handed in piece by piece. */
export interface Decoder {
  /** The next compressed bytes; `isLast` where the file ends with them. */
  push(bytes: Uint8Array, isLast: boolean): void;
  /** The next decompressed bytes; nothing where more must be pushed, or where all is done. */
  take(): Uint8Array | undefined;
}

/** A compressed file cannot be read to its end: it is still being written, damaged, or beyond what is taken. */
export class Undecodable extends Error {
  override readonly name = "Undecodable";
}

export type Format = "plain" | "gzip" | "zstd";

const magics: readonly (readonly [Format, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b, 8]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  // Frames that are passed over; `pzstd` puts one before each of its own.
  ...Array.from({ length: 16 }, (_, n) => ["zstd", [0x50 + n, 0x2a, 0x4d, 0x18]] as const),
];
export const MAGIC_BYTES = 4;

/** What a file is by its first bytes, whatever it is called; nothing where they are too few to tell. */
export function formatOf(first: Uint8Array): Format | undefined {
  const possible = magics.filter(([, magic]) =>
    magic.every((byte, index) => index >= first.length || first[index] === byte),
  );
  if (possible.length === 0) return "plain";
  return possible.find(([, magic]) => first.length >= magic.length)?.[0];
}

/** Synchronous, so that no order of events depends on it. */
export interface Crypto {
  sha256(bytes: Uint8Array): Uint8Array;
  /** In lower-case hexadecimal digits; a text counts as its UTF-8. */
  sha256Hex(content: Uint8Array | string): string;
  /** CRC-32 (IEEE 802.3, as gzip has it); `previous` continues a running one. */
  crc32(bytes: Uint8Array, previous?: number): number;
  randomBytes(lengthBytes: number): Uint8Array;
  gzip(bytes: Uint8Array): Uint8Array;
  aes256GcmEncrypt(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array, associated: Uint8Array): Uint8Array;
  /** Rejects by throwing when the tag does not fit. */
  aes256GcmDecrypt(
    key: Uint8Array,
    nonce: Uint8Array,
    sealed: Uint8Array,
    associated: Uint8Array,
  ): Uint8Array;
}

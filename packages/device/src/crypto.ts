import { createCipheriv, createDecipheriv, hash, randomBytes } from "node:crypto";
import { crc32, gzipSync } from "node:zlib";
import type { Crypto } from "@coalmine/ports";

const TAG_BYTES = 16;

/** The `crypto` port on Node's own. A sealed text ends with its 16-byte tag. */
export const nodeCrypto: Crypto = {
  sha256: (bytes) => own(hash("sha256", bytes, "buffer")),
  sha256Hex: (content) => hash("sha256", content, "hex"),
  crc32: (bytes, previous) => crc32(bytes, previous),
  randomBytes: (lengthBytes) => own(randomBytes(lengthBytes)),
  gzip: (bytes) => own(gzipSync(bytes)),
  aes256GcmEncrypt: (key, nonce, plain, associated) => {
    const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(associated);
    return own(Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]));
  },
  aes256GcmDecrypt: (key, nonce, sealed, associated) => {
    const end = sealed.length - TAG_BYTES;
    if (end < 0) throw new Error(`cannot open ${sealed.length} sealed bytes: the tag alone is ${TAG_BYTES}`);
    const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(associated);
    decipher.setAuthTag(sealed.subarray(end));
    return own(Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()]));
  },
};

/** A plain array in memory of its own: a small Buffer is a window on a pool, and its `slice` is no copy. */
function own(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Crypto } from "@coalmine/ports";

const TAG_BYTES = 16;

/** What the log needs of the `crypto` port, from Node itself, for its tests. */
export const fixtureCrypto: Crypto = {
  crc32: (bytes, previous = 0) => crc32(bytes, previous),
  randomBytes: (lengthBytes) => new Uint8Array(randomBytes(lengthBytes)),
  sha256: (bytes) => new Uint8Array(createHash("sha256").update(bytes).digest()),
  sha256Hex: (content) => createHash("sha256").update(content).digest("hex"),
  gzip: () => {
    throw new Error("the log has no use for this");
  },
  aes256GcmEncrypt: (key, nonce, plain, associated) => {
    const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(associated);
    return new Uint8Array(Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]));
  },
  aes256GcmDecrypt: (key, nonce, sealed, associated) => {
    const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(associated);
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    return new Uint8Array(Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]));
  },
};

import { createHash, randomBytes } from "node:crypto";
import { crc32, gzipSync } from "node:zlib";
import type { Crypto } from "@coalmine/ports";

/** What tests of the log and its users need of the `crypto` port, from Node itself. */
export const fixtureCrypto: Crypto = {
  sha256: (bytes) => createHash("sha256").update(bytes).digest(),
  crc32: (bytes, previous = 0) => crc32(bytes, previous),
  randomBytes: (lengthBytes) => randomBytes(lengthBytes),
  gzip: (bytes) => gzipSync(bytes),
  aes256GcmEncrypt: unused,
  aes256GcmDecrypt: unused,
};

function unused(): never {
  throw new Error("nothing here encrypts");
}

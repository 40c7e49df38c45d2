import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Crypto } from "@coalmine/ports";

/** What the log needs of the `crypto` port, from Node itself, for its tests. */
export const fixtureCrypto: Crypto = {
  crc32: (bytes, previous = 0) => crc32(bytes, previous),
  randomBytes: (lengthBytes) => new Uint8Array(randomBytes(lengthBytes)),
  sha256: unused,
  gzip: unused,
  aes256GcmEncrypt: unused,
  aes256GcmDecrypt: unused,
};

function unused(): never {
  throw new Error("the log has no use for this");
}

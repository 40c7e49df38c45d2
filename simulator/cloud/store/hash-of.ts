import { hash } from "node:crypto";

const LARGE_BYTES = 1024 * 1024;
const known = { sha256: new WeakMap<Uint8Array, string>(), md5: new WeakMap<Uint8Array, string>() };

/**
 * In lower-case hexadecimal digits. Of what is large it is worked out once for each array: the artifacts of a release are
 * put into the cloud of one part of a fleet after the other, and nobody changes bytes that were given to a store.
 */
export function hashOf(algorithm: "sha256" | "md5", bytes: Uint8Array): string {
  const found = bytes.length < LARGE_BYTES ? undefined : known[algorithm].get(bytes);
  if (found !== undefined) return found;
  const digest = hash(algorithm, bytes);
  if (bytes.length >= LARGE_BYTES) known[algorithm].set(bytes, digest);
  return digest;
}

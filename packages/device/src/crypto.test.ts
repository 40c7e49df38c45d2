import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { nodeCrypto as crypto } from "./crypto.ts";

const hex = (text: string) => new Uint8Array(Buffer.from(text, "hex"));

test("AES-256-GCM gives the published test vector", () => {
  // Test case 16 of the GCM specification (McGrew and Viega).
  const key = hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
  const nonce = hex("cafebabefacedbaddecaf888");
  const associated = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const plain = hex(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
  );
  const sealed = hex(
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662" +
      "76fc6ece0f4e1768cddf8853bb2d551b",
  );
  expect(crypto.aes256GcmEncrypt(key, nonce, plain, associated)).toEqual(sealed);
  expect(crypto.aes256GcmDecrypt(key, nonce, sealed, associated)).toEqual(plain);
});

test("SHA-256 gives the published digests, as bytes and as digits, of bytes and of a text's UTF-8", () => {
  // The example of FIPS 180-4.
  const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  expect(crypto.sha256(new TextEncoder().encode("abc"))).toEqual(hex(abc));
  expect(crypto.sha256Hex("abc")).toBe(abc);
  expect(crypto.sha256Hex("37 °C")).toBe(crypto.sha256Hex(new TextEncoder().encode("37 °C")));
});

test("a sealed text that was changed in any bit, or is too short, does not open", () => {
  const key = new Uint8Array(32).fill(1);
  const nonce = new Uint8Array(12).fill(2);
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 50 }),
      fc.nat(),
      fc.integer({ min: 0, max: 7 }),
      (plain, at, bit) => {
        const sealed = crypto.aes256GcmEncrypt(key, nonce, plain, new Uint8Array());
        const index = at % sealed.length;
        sealed[index] = (sealed[index] ?? 0) ^ (1 << bit);
        expect(() => crypto.aes256GcmDecrypt(key, nonce, sealed, new Uint8Array())).toThrow();
      },
    ),
  );
  expect(() => crypto.aes256GcmDecrypt(key, nonce, new Uint8Array(15), new Uint8Array())).toThrow(/16/);
});

test("hash, checksum, compression and random bytes", () => {
  const abc = new TextEncoder().encode("abc");
  expect(Buffer.from(crypto.sha256(abc)).toString("hex")).toBe(
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
  expect(crypto.crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
  expect(crypto.crc32(abc.subarray(1), crypto.crc32(abc.subarray(0, 1)))).toBe(crypto.crc32(abc));
  expect(new Uint8Array(gunzipSync(crypto.gzip(abc)))).toEqual(abc);
  expect(crypto.gzip(abc)).toEqual(crypto.gzip(abc));
  const random = crypto.randomBytes(16);
  expect(random.constructor).toBe(Uint8Array);
  expect(random).not.toEqual(crypto.randomBytes(16));
});

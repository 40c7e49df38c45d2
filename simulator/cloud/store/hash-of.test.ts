import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { hashOf } from "./hash-of.ts";

const MIB = 1024 * 1024;
const own = (algorithm: string, bytes: Uint8Array) => createHash(algorithm).update(bytes).digest("hex");

test.each([0, 1, MIB - 1, MIB, 2 * MIB])(
  "%i bytes have the digests of their content, asked again too",
  (length) => {
    const bytes = new Uint8Array(length).map((_, index) => index * 7);
    for (const again of [1, 2]) {
      expect(hashOf("sha256", bytes), `time ${again}`).toBe(own("sha256", bytes));
      expect(hashOf("md5", bytes), `time ${again}`).toBe(own("md5", bytes));
    }
    // Another array is another question, whatever it shares.
    const other = new Uint8Array(bytes);
    if (length > 0) other[0] = 255;
    expect(hashOf("sha256", other)).toBe(own("sha256", other));
  },
);

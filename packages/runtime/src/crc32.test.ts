import { crc32 as nodeCrc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32 } from "./crc32.ts";

const bytes = fc.uint8Array({ maxLength: 300 });

test("the checksum is the one that zlib computes, in one piece and continued", () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      expect(crc32(a)).toBe(nodeCrc32(a));
      expect(crc32(b, crc32(a))).toBe(nodeCrc32(Buffer.concat([a, b])));
    }),
  );
});

import { gzipSync, zstdCompressSync } from "node:zlib";
import { SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { contentOf } from "../content.ts";
import { CompressedContent, DecodingRoom } from "./compressed-content.ts";

const plain = new TextEncoder().encode(
  Array.from({ length: 10_000 }, (_, n) => `${n} µ°𝄞 ${Math.sin(n)}\n`).join(""),
);

async function open(bytes: Uint8Array, room: DecodingRoom) {
  const reads = { bytes: 0 };
  const content = await contentOf(
    {
      read: async (position, lengthBytes) => {
        const part = bytes.subarray(position, position + lengthBytes);
        reads.bytes += part.length;
        return part;
      },
      size: async () => bytes.length,
      status: () => Promise.reject(new Error("not asked")),
      close: async () => undefined,
    },
    room,
  );
  if (!(content instanceof CompressedContent)) throw new Error("taken for a plain file");
  return { content, reads };
}

test.each([
  ["gzip", gzipSync(plain)],
  ["zstd", zstdCompressSync(plain)],
])("%s: reads at any place, at once or in turn, give what stands there", async (_, bytes) => {
  const random = new SeededRandom("places");
  const room = new DecodingRoom();
  const { content } = await open(bytes, room);
  const other = await open(bytes, room);
  expect(await content.size()).toBe(plain.length);
  let at = 0;
  for (let n = 0; n < 60; n++) {
    at = random.below(4) === 0 ? random.below(plain.length + 100) : Math.min(at + 50_000, plain.length);
    const lengthBytes = random.below(60_000);
    const behind = Math.max(0, at - 64);
    const read = await Promise.all([
      content.read(at, lengthBytes),
      content.read(behind, 64),
      (random.below(3) === 0 ? other.content : content).read(behind, 64),
    ]);
    const stands = [plain.slice(at, at + lengthBytes), ...[1, 2].map(() => plain.slice(behind, behind + 64))];
    expect(read.map((part, index) => Buffer.compare(part, stands[index] ?? plain))).toEqual([0, 0, 0]);
  }
});

test("reading on does not begin anew, and whoever made room for another does", async () => {
  const room = new DecodingRoom();
  const bytes = zstdCompressSync(plain);
  const first = await open(bytes, room);
  for (let at = 0; at < plain.length; at += 100_000) await first.content.read(at, 100_000);
  expect(first.reads.bytes).toBeLessThanOrEqual(bytes.length + 4);
  const half = await open(bytes, room);
  await half.content.read(plain.length / 2, 10);
  const before = half.reads.bytes;
  await first.content.read(0, 10);
  await half.content.read(plain.length / 2 + 10, 10);
  expect(half.reads.bytes).toBeGreaterThan(before + bytes.length / 4);
});

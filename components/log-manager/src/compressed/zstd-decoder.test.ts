import { once } from "node:events";
import { constants, createZstdCompress, zstdCompressSync } from "node:zlib";
import { SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { Undecodable } from "./decoder.ts";
import { ZstdDecoder } from "./zstd-decoder.ts";

const {
  ZSTD_c_checksumFlag,
  ZSTD_c_compressionLevel,
  ZSTD_c_windowLog,
  ZSTD_c_contentSizeFlag,
  ZSTD_e_flush,
} = constants;

/** Log lines, random bytes, and long runs of one byte: compressed, raw and repeated blocks. */
function content(random: SeededRandom, bytes: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let length = 0; length < bytes; length += parts.at(-1)?.length ?? 0) {
    const kind = random.below(3);
    const size = random.below(kind === 0 ? 300_000 : 40_000);
    if (kind === 0) parts.push(new Uint8Array(size).fill(random.below(256)));
    else if (kind === 1) parts.push(Uint8Array.from({ length: size }, () => random.below(256)));
    else
      parts.push(
        new TextEncoder().encode(
          Array.from(
            { length: size / 60 },
            (_, n) => `{"timestamp":${n},"message":"${random.below(1e6)} °C"}\n`,
          ).join(""),
        ),
      );
  }
  return Buffer.concat(parts).subarray(0, bytes);
}

function decoded(bytes: Uint8Array, pieces: () => number): Buffer {
  const decoder = new ZstdDecoder();
  const parts: Uint8Array[] = [];
  for (let at = 0, isLast = false; !isLast;) {
    const piece = bytes.subarray(at, at + pieces());
    at += piece.length;
    isLast = at >= bytes.length;
    decoder.push(piece, isLast);
    for (let part = decoder.take(); part !== undefined; part = decoder.take()) {
      expect(part.length).toBeLessThanOrEqual(2 * 128 * 1024);
      parts.push(part);
    }
  }
  return Buffer.concat(parts);
}
const inOne = (bytes: Uint8Array): Buffer => decoded(bytes, () => Infinity);

/** Flushed again and again, its length not known beforehand: a frame of many blocks that does not tell its size. */
async function streamed(random: SeededRandom, bytes: Uint8Array): Promise<Uint8Array> {
  const stream = createZstdCompress({ params: { [ZSTD_c_checksumFlag]: 1 } });
  const parts: Uint8Array[] = [];
  stream.on("data", (part: Uint8Array) => parts.push(part));
  for (let at = 0; at < bytes.length;) {
    const size = 1 + random.below(50_000);
    stream.write(bytes.subarray(at, at + size));
    await new Promise<void>((flushed) => stream.flush(ZSTD_e_flush, () => flushed()));
    at += size;
  }
  stream.end();
  await once(stream, "end");
  return Buffer.concat(parts);
}

function skippable(length: number): Uint8Array {
  const frame = Buffer.alloc(8 + length, 0x28);
  frame.writeUInt32LE(0x184d2a50 + (length % 16), 0);
  frame.writeUInt32LE(length, 4);
  return frame;
}

test("whatever was compressed comes back, however it was framed and in whatever pieces it is read", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const random = new SeededRandom(`zstd/${seed}`);
    const plain: Uint8Array[] = [];
    const frames: Uint8Array[] = [];
    for (let frame = random.below(4); frame >= 0; frame--) {
      if (random.below(3) === 0) frames.push(skippable(random.below(40)));
      const bytes = content(random, [0, 1, 200, 70_000, 400_000][random.below(5)] ?? 0);
      plain.push(bytes);
      frames.push(
        random.below(4) === 0
          ? await streamed(random, bytes)
          : zstdCompressSync(bytes, {
              params: {
                [ZSTD_c_compressionLevel]: [-5, 1, 3, 9, 19][random.below(5)] ?? 3,
                [ZSTD_c_checksumFlag]: random.below(2),
                [ZSTD_c_contentSizeFlag]: random.below(2),
                ...(random.below(2) === 0 ? {} : { [ZSTD_c_windowLog]: 10 + random.below(14) }),
              },
            }),
      );
    }
    const pieces = [() => Infinity, () => 1 + random.below(20_000), () => 1 + random.below(9)][seed % 3];
    const back = decoded(Buffer.concat(frames), pieces ?? (() => 1));
    expect(back.equals(Buffer.concat(plain)), `seed ${seed}`).toBe(true);
  }
});

const text = Buffer.from(
  Array.from({ length: 40 }, (_, n) => `{"timestamp":${n},"message":"${n * n} °C"}\n`).join(""),
);
const sealed = zstdCompressSync(text, { params: { [ZSTD_c_checksumFlag]: 1 } });

test("a file that was cut anywhere is not taken for whole", () => {
  const two = Buffer.concat([sealed, sealed]);
  for (let cut = 1; cut < two.length; cut++)
    if (cut !== sealed.length)
      expect(() => inOne(two.subarray(0, cut)), `cut at ${cut}`).toThrow(Undecodable);
  expect(inOne(two.subarray(0, sealed.length)).equals(text)).toBe(true);
});

test("no byte that changed gives other lines: it is refused", () => {
  let refused = 0;
  for (let at = 0; at < sealed.length; at++)
    for (const mask of [1, 0x80, 0xff]) {
      const damaged = sealed.map((byte, index) => (index === at ? byte ^ mask : byte));
      try {
        // Where the byte says nothing of the content, it may pass.
        expect(inOne(damaged).equals(text), `byte ${at} changed by ${mask}`).toBe(true);
      } catch (failure) {
        if (!(failure instanceof Undecodable)) throw failure;
        refused++;
      }
    }
  expect(refused).toBeGreaterThan(sealed.length * 3 * 0.99);
});

test("a window of 8 MiB is taken, a wider one refused before it has its memory", () => {
  const long = Buffer.alloc(10 * 1024 * 1024, "a line that repeats\n");
  const windowed = (log: number) => zstdCompressSync(long, { params: { [ZSTD_c_windowLog]: log } });
  expect(inOne(windowed(23)).equals(long)).toBe(true);
  const before = process.memoryUsage().arrayBuffers;
  expect(() => inOne(windowed(27))).toThrow("needs a window of");
  // Not the header's own claim of a terabyte either.
  expect(() => inOne(Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xff, 0, 0, 0]))).toThrow(
    "needs a window of",
  );
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(40 * 1024 * 1024);
});

test("what needs a dictionary is refused by name", () => {
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x21, 7, 1, 1, 0, 0]);
  expect(() => inOne(frame)).toThrow("needs a dictionary");
});

test("what is behind the last frame and is none is refused", () => {
  expect(() => inOne(Buffer.concat([sealed, Buffer.from("not a frame")]))).toThrow("something else");
});

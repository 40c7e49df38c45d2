import { constants, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { loneComponent } from "../../../simulator/fleet/hosted/lone-component.ts";
import { compressed } from "./log-disk.ts";
import { World } from "./world.ts";

/** What becomes of rotated files that are compressed. */
async function world(): Promise<World> {
  const made = new World(loneComponent("compressed", Date.UTC(2026, 10, 23, 9)), {
    healthIntervalSeconds: 1,
  });
  await made.start();
  return made;
}
const json = (message: string) => new TextEncoder().encode(`${JSON.stringify({ message })}\n`);
const random = (lines: number) =>
  Array.from({ length: lines }, (_, n) => `${n} ${Math.sin(n) * 1e9} ${Math.cos(n * n) * 1e9}`);

test.each(["app.log.1.gz", "app.log.1.zst"])(
  "%s: a file that was read before goes not again",
  async (name) => {
    const it = await world();
    const node = it.write("app.log.1", "read before");
    await it.run(5000);
    await it.stop();
    it.disk.append(node, '{"message":"not read before"}\n');
    it.disk.compress(node, name);
    it.disk.remove("app.log.1");
    await it.start();
    await it.run(20_000);
    expect(it.texts()).toEqual(["read before", "not read before"]);
    await it.stop();
  },
);

test.each(["app.log.1.gz", "app.log.1.zst"])(
  "%s: what is appended as a further member or frame is read, also across restarts",
  async (name) => {
    const it = await world();
    const node = it.disk.create(name);
    const texts = ["first", "second", "third"];
    for (const text of texts) {
      it.disk.appendBytes(node, compressed(name, json(text)));
      await it.run(20_000);
      await it.stop();
      await it.start();
    }
    expect(it.texts()).toEqual(texts);
    await it.stop();
  },
);

test.each(["app.log.1.gz", "app.log.1.zst"])(
  "%s: while its original is there, that is read",
  async (name) => {
    const it = await world();
    it.cloud.weather.isOnline = false;
    const node = it.write("app.log.1", "once");
    await it.run(2000);
    it.disk.compress(node, name);
    await it.run(30_000);
    it.cloud.weather.isOnline = true;
    await it.run(400_000);
    it.disk.remove("app.log.1");
    await it.run(30_000);
    expect(it.texts()).toEqual(["once"]);
    await it.stop();
  },
);

test("app.log.1.zst: one that is still being written is read when it is whole, however long that takes", async () => {
  const it = await world();
  const lines = random(5000);
  const bytes = compressed(
    "app.log.1.zst",
    new TextEncoder().encode(lines.map((line) => `${line}\n`).join("")),
  );
  const node = it.disk.create("app.log.1.zst");
  const waitsMs = [300, 5000, 90_000, 2000];
  const partBytes = Math.ceil(bytes.length / waitsMs.length);
  for (const [n, waitMs] of waitsMs.entries()) {
    expect(it.texts()).toEqual([]);
    it.disk.appendBytes(node, bytes.subarray(n * partBytes, (n + 1) * partBytes));
    await it.run(waitMs);
  }
  await it.run(30_000);
  expect(it.texts().join("\n").split("\n")).toEqual(lines);
  await it.stop();
});

const whole = zstdCompressSync(json("never"), { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
const flipped = (at: number) => whole.map((byte, index) => (index === at ? byte ^ 1 : byte));
const wide = zstdCompressSync(Buffer.concat(Array.from({ length: 200 }, () => Buffer.alloc(100_000, "x"))), {
  params: { [constants.ZSTD_c_windowLog]: 24 },
});

test.each<[string, string, Uint8Array, string]>([
  [
    "damaged gzip",
    "app.log.1.gz",
    new Uint8Array([0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8]),
    "too soon or is damaged",
  ],
  ["zstd, a byte of a line", "app.log.1.zst", flipped(whole.length - 8), "is damaged"],
  ["zstd, its check sum", "app.log.1.zst", flipped(whole.length - 1), "is damaged"],
  ["zstd that was cut short", "app.log.1.zst", whole.subarray(0, -6), "ends inside a frame"],
  [
    "zstd with a window that is too wide",
    "app.log.1.zst",
    wide,
    "needs a window of 16777216 bytes, and 8388608",
  ],
])("%s: it is said once, kept, and holds no other file up", async (_, name, bytes, reason) => {
  const it = await world();
  it.disk.appendBytes(it.disk.create(name), bytes);
  it.write("app.log", "whole");
  await it.run(600_000);
  expect(it.texts()).toEqual(["whole"]);
  expect(it.errors).toMatchObject([{ file: name, reason: expect.stringContaining(reason) }]);
  expect([...it.disk.names.keys()]).toContain(name);
  await it.stop();
});

test("a plain file that begins as a compressed one might is read as what it is", async () => {
  const it = await world();
  for (const [n, text] of ["P", "(", "[b"].entries()) {
    const node = it.disk.create(`app.log.${n}`);
    it.disk.append(node, text);
    await it.run(3000);
    it.disk.append(node, "lain\n");
  }
  await it.run(20_000);
  expect(it.texts()).toEqual(["Plain", "(lain", "[blain"]);
  await it.stop();
});

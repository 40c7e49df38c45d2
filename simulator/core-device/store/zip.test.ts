import * as fc from "fast-check";
import { zipSync, type Zippable } from "fflate";
import { expect, test } from "vitest";
import { fuzzed } from "../../../test/fuzzed.ts";
import { ZipError, type ZipEntry, zipEntries } from "./zip.ts";

const MIB = 1024 * 1024;
const text = (value: string) => new TextEncoder().encode(value);
const two = { "a.txt": text("a".repeat(5000)), "d/b.txt": [text("b"), { level: 0 }] } satisfies Zippable;

async function inPieces({ pieces }: ZipEntry): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces()) all.push(piece);
  return Buffer.concat(all);
}

test("a ZIP's stored and deflated entries come out as they went in, whole and in pieces [core-device-3.3]", async () => {
  const entries = zipEntries(zipSync(two), MIB);
  const wanted = [
    ["a.txt", "a".repeat(5000)],
    ["d/b.txt", "b"],
  ];
  expect(entries.map((entry) => [entry.name, Buffer.from(entry.bytes()).toString()])).toEqual(wanted);
  const pieced = await Promise.all(entries.map(async (entry) => [entry.name, String(await inPieces(entry))]));
  expect(pieced).toEqual(wanted);
});

test.each(["../evil", "/etc/evil", "a/../../evil", "..\\evil", "C:/evil"])(
  "an entry named %s is refused [core-device-3.4]",
  (name) => {
    expect(() => zipEntries(zipSync({ [name]: text("x") }), MIB)).toThrow(ZipError);
  },
);

test("a damaged entry is refused, not extracted [core-device-3.3]", async () => {
  const zip = zipSync({ "a.txt": [text("some bytes that matter"), { level: 0 }] });
  zip[40] = (zip[40] ?? 0) ^ 1;
  const [entry] = zipEntries(zip, MIB);
  if (entry === undefined) throw new Error("no entry");
  expect(() => entry.bytes()).toThrow(ZipError);
  await expect(inPieces(entry)).rejects.toThrow(ZipError);
});

/** Where the directory says how many bytes the first entry has. */
const sizeAt = (zip: Uint8Array): number => new DataView(zip.buffer).getUint32(zip.length - 6, true) + 24;

test("a bomb is refused by what it says, and gives no more than it says where it lies [core-device-3.10]", async () => {
  const bomb = zipSync({ "a.bin": new Uint8Array(4 * MIB) });
  expect(bomb.length).toBeLessThan(MIB / 100);
  expect(() => zipEntries(bomb, 4 * MIB - 1)).toThrow(/4194304 bytes, and there is room for 4194303/);
  new DataView(bomb.buffer).setUint32(sizeAt(bomb), 1000, true);
  const [entry] = zipEntries(bomb, MIB);
  if (entry === undefined) throw new Error("no entry");
  let given = 0;
  const drained = async (): Promise<void> => {
    for await (const piece of entry.pieces()) given += piece.length;
  };
  await expect(drained()).rejects.toThrow(ZipError);
  expect(given).toBeLessThanOrEqual(1000);
  expect(() => entry.bytes()).toThrow();
});

test("a thousand entries that share the same few bytes count each by itself [core-device-3.10]", () => {
  const zip = zipSync({ "a.bin": new Uint8Array(MIB) });
  const view = new DataView(zip.buffer);
  const directory = view.getUint32(zip.length - 6, true);
  const entry = zip.subarray(directory, zip.length - 22);
  const many = Buffer.concat([
    zip.subarray(0, directory),
    ...Array.from({ length: 1000 }, () => entry),
    zip.subarray(-22),
  ]);
  many.writeUInt16LE(1000, many.length - 12);
  expect(() => zipEntries(new Uint8Array(many), 999 * MIB)).toThrow(/room/);
});

test("whatever bytes an archive has, it is read or refused, within what it may hold [core-device-3.10]", async () => {
  const whole = zipSync(two);
  const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
  const damaged = damage.map((changes) => {
    const bytes = whole.slice();
    for (const [at, value] of changes) bytes[at] = value;
    return bytes;
  });
  const cut = fc.nat(whole.length).map((length) => whole.slice(0, length));
  await fuzzed(
    fc.asyncProperty(fc.oneof(damaged, cut, fc.uint8Array({ maxLength: 200 })), async (bytes) => {
      let entries: readonly ZipEntry[];
      try {
        entries = zipEntries(bytes, MIB);
      } catch (failure) {
        if (failure instanceof ZipError) return;
        throw failure;
      }
      let given = 0;
      for (const entry of entries) {
        expect(entry.name.split("/")).not.toContain("..");
        // Damage within the packed bytes is zlib's to tell.
        given += await inPieces(entry).then(
          ({ length }) => length,
          () => 0,
        );
      }
      expect(given).toBeLessThanOrEqual(MIB);
    }),
  );
});

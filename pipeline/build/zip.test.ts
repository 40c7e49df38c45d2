import { execFileSync } from "node:child_process";
import { unzipSync } from "fflate";
import { expect, test } from "vitest";
import { sha256 } from "./digest.ts";
import { writeZip } from "./write-zip.ts";
import { zip, type ZipEntry } from "./zip.ts";

const text = (content: string) => new TextEncoder().encode(content);
const entries: ZipEntry[] = [
  { name: "b.mjs", bytes: text("b".repeat(5000)) },
  { name: "a/ä.mjs", bytes: text("a") },
  { name: "bin/node", bytes: text("#!"), executable: true },
];

test("the bytes do not depend on the order that entries come in", async () => {
  expect(sha256(await zip(entries))).toBe(sha256(await zip([...entries].reverse())));
});

test("the bytes do not depend on the time zone", () => {
  const inZone = (zone: string) =>
    execFileSync(
      process.execPath,
      [
        "--input-type=module",
        "-e",
        `import { zip } from ${JSON.stringify(new URL("./zip.ts", import.meta.url).href)};
         process.stdout.write(await zip([{ name: "a", bytes: new TextEncoder().encode("x".repeat(1000)) }]));`,
      ],
      { env: { TZ: zone } },
    );
  expect(sha256(inZone("Asia/Kathmandu"))).toBe(sha256(inZone("America/St_Johns")));
});

test("what goes in comes out, and what is executable says so", async () => {
  const zipped = await zip(entries);
  expect(Object.keys(unzipSync(zipped))).toEqual(["a/ä.mjs", "b.mjs", "bin/node"]);
  expect(new TextDecoder().decode(unzipSync(zipped)["b.mjs"])).toBe("b".repeat(5000));
  expect(centralDirectory(zipped)).toEqual([
    { name: "a/ä.mjs", mode: 0o100644, date: [1980, 1, 1], time: 0, madeBy: "unix" },
    { name: "b.mjs", mode: 0o100644, date: [1980, 1, 1], time: 0, madeBy: "unix" },
    { name: "bin/node", mode: 0o100755, date: [1980, 1, 1], time: 0, madeBy: "unix" },
  ]);
});

test("what is deflated in a thread has the bytes of what is deflated here", async () => {
  const large = Uint8Array.from({ length: 3_000_000 }, (_, index) => (index * index) % 251);
  const entries = [{ name: "large", bytes: large }];
  expect(sha256(await zip(entries))).toBe(sha256(await writeZip(entries)));
});

/** What an unzip program reads: the headers at the end, by the layout of APPNOTE 4.3.12. */
function centralDirectory(zipped: Uint8Array) {
  const view = new DataView(zipped.buffer, zipped.byteOffset, zipped.byteLength);
  const end = view.byteLength - 22;
  let at = view.getUint32(end + 16, true);
  return Array.from({ length: view.getUint16(end + 10, true) }, () => {
    const nameLength = view.getUint16(at + 28, true);
    const date = view.getUint16(at + 14, true);
    const entry = {
      name: new TextDecoder().decode(zipped.subarray(at + 46, at + 46 + nameLength)),
      mode: view.getUint32(at + 38, true) >>> 16,
      date: [1980 + (date >> 9), (date >> 5) & 15, date & 31],
      time: view.getUint16(at + 12, true),
      madeBy: view.getUint8(at + 5) === 3 ? "unix" : "other",
    };
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    return entry;
  });
}

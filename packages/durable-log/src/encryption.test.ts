import { describe, expect, test } from "vitest";
import { fixtureCrypto } from "./crypto.fixture.ts";
import { openLog, readAll, text } from "./log.fixture.ts";
import { memoryFiles, type MemoryFiles } from "./memory-files.ts";
import { readHeader, SEGMENT_HEADER_BYTES } from "./segment.ts";
import type { LogKeys } from "./segment-cipher.ts";

const key = (seed: number): Uint8Array => new Uint8Array(32).map((_, at) => (at * 7 + seed * 131) % 256);
const keys = (current: number | undefined, ...known: number[]): LogKeys => ({
  ...(current === undefined ? {} : { current }),
  known: new Map(known.map((id) => [id, key(id)])),
});
const segmentsOf = (files: MemoryFiles): [string, Uint8Array][] =>
  [...files.contents()].filter(([path]) => path.endsWith(".seg"));
const contains = (bytes: Uint8Array, word: string): boolean => Buffer.from(bytes).includes(word);

async function filled(
  files: MemoryFiles,
  options: { keys?: LogKeys },
  words: readonly string[],
): Promise<void> {
  const log = await openLog(files, { segmentBytes: 1024, ...options });
  for (const word of words) await log.append(text(word));
  await log.close();
}
const words = Array.from({ length: 40 }, (_, at) => `viscosity ${at}`);

describe("at rest", () => {
  test("no payload is in the file, and the header names the key [durable-log-6.1]", async () => {
    const files = memoryFiles();
    await filled(files, { keys: keys(7, 7) }, words);
    expect(segmentsOf(files).length).toBeGreaterThan(2);
    for (const [, bytes] of segmentsOf(files)) {
      expect(contains(bytes, "viscosity")).toBe(false);
      expect(readHeader(bytes, fixtureCrypto)?.keyId).toBe(7);
    }
    const { records, gaps } = await readAll(await openLog(files, { keys: keys(7, 7) }));
    expect([[...records.values()], gaps]).toEqual([words, []]);
  });

  test("a changed byte is damage, also where its CRC was made to fit [durable-log-6.1]", async () => {
    const files = memoryFiles();
    const log = await openLog(files, { keys: keys(1, 1) });
    for (const word of ["one", "two", "three"]) await log.append(text(word));
    const [[path, bytes] = ["", new Uint8Array(0)]] = segmentsOf(files);
    // The second frame: its header and length are in the clear.
    const view = new DataView(bytes.buffer);
    const second =
      SEGMENT_HEADER_BYTES + 32 + Math.ceil(view.getUint32(SEGMENT_HEADER_BYTES + 4, true) / 8) * 8;
    const end = second + 32 + view.getUint32(second + 4, true);
    bytes[second + 33] = (bytes[second + 33] ?? 0) ^ 1;
    view.setUint32(second, fixtureCrypto.crc32(bytes.subarray(second + 4, end), second), true);
    files.put(path, bytes);
    const { records, gaps } = await readAll(await openLog(files, { keys: keys(1, 1) }));
    expect([...records.values()]).toEqual(["one", "three"]);
    expect(gaps).toMatchObject([{ first: 2, last: 2 }]);
  });

  test("equal payloads are different bytes in every frame and segment [durable-log-6.1]", async () => {
    const files = memoryFiles();
    await filled(
      files,
      { keys: keys(1, 1) },
      Array.from({ length: 60 }, () => "the same words every time"),
    );
    const seen = segmentsOf(files).flatMap(([, bytes]) => {
      const found: string[] = [];
      for (let at = SEGMENT_HEADER_BYTES; at + 80 <= bytes.length; at += 80)
        found.push(Buffer.from(bytes.subarray(at + 32, at + 57)).toString("hex"));
      return found;
    });
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBeGreaterThan(50);
  });

  test("a key that cannot encrypt is refused when the log is opened", async () => {
    await expect(openLog(memoryFiles(), { keys: keys(2, 1) })).rejects.toThrow(
      "key 2 cannot encrypt the log",
    );
  });
});

describe("rotation", () => {
  test("new segments take the new key, old ones stay readable while theirs is known [durable-log-6.2]", async () => {
    const files = memoryFiles();
    const log = await openLog(files, {});
    await log.append(text("in the clear"));
    log.configure({ keys: keys(1, 1) });
    await log.append(text("first key"));
    log.configure({ keys: keys(2, 1, 2) });
    await Promise.all(words.map((word) => log.append(text(word))));
    expect(segmentsOf(files).map(([, bytes]) => readHeader(bytes, fixtureCrypto)?.keyId)).toEqual([0, 1, 2]);
    const all = ["in the clear", "first key", ...words];
    for (const reader of [log, await openLog(files, { keys: keys(2, 1, 2) })])
      expect([...(await readAll(reader)).records.values()]).toEqual(all);
  });

  test("a key that is missing, or another, is a gap that says so, and no end [durable-log-6.3]", async () => {
    const files = memoryFiles();
    await filled(files, { keys: keys(1, 1) }, ["a", "b", "c"]);
    await filled(files, { keys: keys(2, 1, 2) }, ["d"]);
    const lacking = await openLog(files, { keys: keys(2, 2) });
    expect(await readAll(lacking)).toMatchObject({
      order: [4],
      gaps: [{ first: 1, last: 3, why: expect.stringContaining("key 1, which is not known") }],
    });
    expect(await lacking.append(text("e"))).toBe(5);
    await lacking.close();
    const wrong = await openLog(files, {
      keys: {
        current: 2,
        known: new Map([
          [1, key(9)],
          [2, key(2)],
        ]),
      },
    });
    expect((await readAll(wrong)).gaps).toMatchObject([
      { first: 1, last: 3, why: expect.stringContaining("another key") },
    ]);
    expect((await readAll(await openLog(files, { keys: keys(2, 1, 2) }))).order).toEqual([1, 2, 3, 4, 5]);
  });
});

test("the keys that are missing, or others, are told: of what some reader still wants [durable-log-6.6]", async () => {
  const files = memoryFiles();
  await filled(files, {}, ["in the clear"]);
  await filled(files, { keys: keys(1, 1) }, words);
  await filled(files, { keys: keys(2, 1, 2) }, words);
  const log = await openLog(files, { segmentBytes: 1024, keys: keys(2, 1, 2) });
  expect(await log.keyFaults()).toEqual([]);
  const of2 = { keyId: 2, last: 81 };
  const of1 = { keyId: 1, last: 41 };
  expect(await log.keyFaults(keys(undefined))).toMatchObject([
    { ...of2, kind: "missing" },
    { ...of1, kind: "missing" },
  ]);
  expect(await log.keyFaults({ known: new Map([[2, key(2)]]) })).toMatchObject([{ ...of1, kind: "missing" }]);
  const swapped = {
    known: new Map([
      [1, key(2)],
      [2, key(2)],
    ]),
  };
  expect(await log.keyFaults(swapped)).toMatchObject([{ ...of1, kind: "another" }]);
  // A first record that is damaged says nothing of the key: the next segment does.
  const newest = segmentsOf(files).at(-1);
  newest?.[1].fill(0xff, SEGMENT_HEADER_BYTES + 40, SEGMENT_HEADER_BYTES + 44);
  if (newest !== undefined) files.put(...newest);
  expect(
    await log.keyFaults({
      known: new Map([
        [1, key(1)],
        [2, key(9)],
      ]),
    }),
  ).toMatchObject([{ keyId: 2, kind: "another" }]);
  // What every reader is done with needs no key.
  await (await log.cursor("up")).advance(41);
  expect(await log.keyFaults({ known: new Map([[2, key(2)]]) })).toEqual([]);
});

test("an encrypted segment is never continued after the log was opened [durable-log-6.4]", async () => {
  const files = memoryFiles();
  await filled(files, { keys: keys(1, 1) }, ["a"]);
  const [[, before] = ["", new Uint8Array(0)]] = segmentsOf(files);
  await filled(files, { keys: keys(1, 1) }, ["b"]);
  const after = segmentsOf(files);
  expect(after).toHaveLength(2);
  expect(after[0]?.[1]).toEqual(before);
});

test("a damaged header costs no encrypted record [durable-log-6.5]", async () => {
  const files = memoryFiles();
  await filled(files, { keys: keys(1, 1) }, words);
  for (const [path, bytes] of segmentsOf(files).slice(0, -1))
    files.put(path, bytes.fill(0xff, 0, SEGMENT_HEADER_BYTES));
  const { records, gaps } = await readAll(await openLog(files, { keys: keys(1, 1) }));
  expect([[...records.values()], gaps]).toEqual([words, []]);
});

test("an encrypted segment stays encrypted when it is thinned out, and unthinned without its key", async () => {
  const files = memoryFiles();
  const options = { segmentBytes: 2048, capBytes: 6000, whenFull: "downsample-oldest" } as const;
  const log = await openLog(files, {
    ...options,
    keys: keys(1, 1),
    keep: (_record, index) => index % 5 === 0,
  });
  for (let at = 1; at <= 100; at++) await log.append(text(`viscosity ${at}`));
  expect(log.givenUp.thinned).toBeGreaterThan(0);
  for (const [, bytes] of segmentsOf(files)) expect(contains(bytes, "viscosity")).toBe(false);
  const { records } = await readAll(log);
  expect([...records].filter(([sequence, payload]) => payload !== `viscosity ${sequence}`)).toEqual([]);
  expect(records.size + log.givenUp.thinned + log.givenUp.overwritten).toBe(100);
});

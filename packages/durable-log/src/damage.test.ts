import { SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { fixtureCrypto } from "./crypto.fixture.ts";
import { FRAME_HEADER_BYTES, frameBytes, SEAL_FLAG, writeFrame } from "./frame.ts";
import { openLog, readAll, text } from "./log.fixture.ts";
import { memoryFiles } from "./memory-files.ts";
import type { Damage } from "./options.ts";
import { SEGMENT_HEADER_BYTES } from "./segment.ts";
import type { LogKeys } from "./segment-cipher.ts";

const isLong = process.env["COALMINE_LONG"] === "1";
/** Opening encrypted records costs ten times as much as reading clear ones. */
const TRIALS = isLong ? { clear: 10_000, encrypted: 2000 } : { clear: 500, encrypted: 60 };
const SEGMENT_BYTES = 4096;
const RECORDS = 200;
const contentOf = (sequence: number): string => `${sequence}:${"y".repeat((sequence * 53) % 120)}`;
const payloadOf = (sequence: number): Uint8Array => text(contentOf(sequence));
const aKey: LogKeys = { current: 5, known: new Map([[5, new Uint8Array(32).fill(9)]]) };

async function intactLog(keys: LogKeys) {
  const memory = memoryFiles();
  const log = await openLog(memory, { segmentBytes: SEGMENT_BYTES, keys });
  for (let sequence = 1; sequence <= RECORDS; sequence++) await log.append(payloadOf(sequence));
  const contents = [...memory.contents()];
  // Where each record's own bytes lie, padding apart.
  const extents = contents.flatMap(([path, bytes]) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const found: { path: string; sequence: number; from: number; to: number }[] = [];
    for (let from = SEGMENT_HEADER_BYTES; from < bytes.length;) {
      const length = view.getUint32(from + 4, true);
      if ((view.getUint32(from + 24, true) & SEAL_FLAG) === 0)
        found.push({
          path,
          sequence: view.getUint32(from + 8, true),
          from,
          to: from + FRAME_HEADER_BYTES + length,
        });
      from += frameBytes(length);
    }
    return found;
  });
  return { contents, extents, epoch: log.epoch, keys };
}
const clear = await intactLog({ known: new Map() });
const encrypted = await intactLog(aKey);

test.each([
  [TRIALS.clear, "in the clear", clear],
  [TRIALS.encrypted, "encrypted", encrypted],
])(
  `%i damages of up to 4,096 bytes each, of a log %s, cost exactly the records they touch, whose bytes are kept [durable-log-5.1] [durable-log-5.2] [durable-log-5.5]`,
  async (trials, name, intact) => {
    expect(intact.extents).toHaveLength(RECORDS);
    const random = new SeededRandom(`damage ${name}`);
    for (let trial = 0; trial < trials; trial++) {
      const files = memoryFiles();
      const victim = random.below(intact.contents.length);
      const [victimPath = "", whole = new Uint8Array(0)] = intact.contents[victim] ?? [];
      const from = random.below(whole.length);
      const to = Math.min(whole.length, from + 1 + random.below(random.next() < 0.5 ? 16 : 4096));
      for (const [path, bytes] of intact.contents) files.put(path, bytes);
      const broken = damaged(whole, from, to, random);
      files.put(victimPath, broken);
      const places: Damage[] = [];
      const log = await openLog(files, {
        segmentBytes: SEGMENT_BYTES,
        keys: intact.keys,
        onDamaged: (damage) => places.push(damage),
      });
      expect(log.epoch).toBe(intact.epoch);
      const { records, gaps } = await readAll(log);
      const touched = intact.extents.filter(
        (extent) => extent.path === victimPath && extent.from < to && from < extent.to,
      );
      const numbers = new Set(touched.map(({ sequence }) => sequence));
      const missing = Array.from({ length: RECORDS }, (_, at) => at + 1).filter(
        (sequence) => !records.has(sequence),
      );
      expect(
        missing.filter((sequence) => !numbers.has(sequence)),
        `trial ${trial}`,
      ).toEqual([]);
      expect([...records].filter(([sequence, payload]) => payload !== contentOf(sequence))).toEqual([]);
      const told = gaps.flatMap(({ first, last }) =>
        Array.from({ length: last - first + 1 }, (_, at) => first + at),
      );
      const atTheEnd = missing.filter((sequence) => sequence > log.last);
      expect(told).toEqual(missing.filter((sequence) => sequence <= log.last));
      if (atTheEnd.length > 0) expect(log.recovered.tornBytes).toBeGreaterThan(0);
      // Whatever of a lost record was there, as it was found.
      const kept = files.contents();
      for (const lost of touched.filter(({ sequence }) => missing.includes(sequence)))
        expect(isQuarantined(kept, places, broken, lost), `trial ${trial}`).toBe(true);
      const fresh = await log.append(text("fresh"));
      expect((await readAll(log, fresh)).records.get(fresh)).toBe("fresh");
    }
  },
  600_000,
);

/** Whether one told place covers these bytes of the broken segment, and its file holds them. */
function isQuarantined(
  files: ReadonlyMap<string, Uint8Array>,
  places: readonly Damage[],
  broken: Uint8Array,
  lost: { readonly path: string; readonly from: number; readonly to: number },
): boolean {
  const segment = Number(lost.path.slice(4, 24));
  const place = places.find((one) => one.segment === segment && one.from <= lost.from && lost.to <= one.to);
  if (place?.isKept !== true) return false;
  const digits = (value: number): string => String(value).padStart(10, "0");
  const path = `log/quarantine/${lost.path.slice(4, 24)}-${digits(place.from)}-${digits(place.to)}.bin`;
  const kept = files.get(path);
  return kept !== undefined && Buffer.compare(kept, broken.subarray(place.from, place.to)) === 0;
}

test("the quarantine is bounded, and the oldest make room [durable-log-5.5]", async () => {
  const memory = memoryFiles();
  const written = await openLog(memory, { segmentBytes: SEGMENT_BYTES });
  for (let sequence = 1; sequence <= 4000; sequence++) await written.append(payloadOf(sequence));
  const victims = [...memory.contents()].filter(([, bytes]) => bytes.length > 2000);
  for (const [path, bytes] of victims) memory.put(path, bytes.fill(0, 1000, 1010));
  const log = await openLog(memory, { segmentBytes: SEGMENT_BYTES });
  expect(victims.length).toBeGreaterThan(70);
  await readAll(log);
  const kept = await memory.list("log/quarantine");
  expect(kept).toHaveLength(64);
  expect(kept.at(-1)?.slice(0, 20)).toBe(victims.at(-1)?.[0].slice(4, 24));
});

function damaged(bytes: Uint8Array, from: number, to: number, random: SeededRandom): Uint8Array {
  const copy = bytes.slice();
  const kind = random.below(3);
  for (let at = from; at < to; at++)
    copy[at] = kind === 0 ? 0 : kind === 1 ? random.below(256) : (copy[at] ?? 0) ^ (1 << random.below(8));
  return copy;
}

test("an intact frame inside a payload is never taken for a record [durable-log-5.3]", async () => {
  const memory = memoryFiles();
  const log = await openLog(memory);
  await log.append(text("one"));
  // A payload that is, byte for byte, a frame of the number that is to be damaged, as if at the segment's start.
  const inner = new Uint8Array(frameBytes(6));
  writeFrame(
    inner,
    0,
    SEGMENT_HEADER_BYTES,
    { sequence: 2, timeMs: 0, payload: text("forged") },
    0,
    fixtureCrypto,
  );
  await log.append(inner);
  await log.append(text("three"));
  const [[path, bytes] = ["", new Uint8Array(0)]] = memory.contents();
  const broken = bytes.slice();
  const second = SEGMENT_HEADER_BYTES + frameBytes(3);
  broken[second] = (broken[second] ?? 0) ^ 0xff;
  const files = memoryFiles();
  files.put(path, broken);
  const { records, gaps } = await readAll(await openLog(files));
  expect([...records]).toEqual([
    [1, "one"],
    [3, "three"],
  ]);
  expect(gaps).toEqual([{ first: 2, last: 2 }]);
});

test("a log that lost all starts a new epoch, a damaged header does not [durable-log-5.4]", async () => {
  const [first = ["", new Uint8Array(0)]] = clear.contents;
  const files = memoryFiles();
  for (const [path, bytes] of clear.contents) files.put(path, bytes);
  files.put(
    first[0],
    first[1].map((byte, at) => (at < SEGMENT_HEADER_BYTES ? 0 : byte)),
  );
  const log = await openLog(files);
  expect(log.epoch).toBe(clear.epoch);
  expect((await readAll(log)).order).toHaveLength(RECORDS);

  const empty = await openLog(memoryFiles());
  expect(empty.recovered.isNew).toBe(true);
  expect(empty.epoch).not.toBe(clear.epoch);
  expect(await empty.append(text("first"))).toBe(1);
});

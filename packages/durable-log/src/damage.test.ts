import { SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { fixtureCrypto } from "./crypto.fixture.ts";
import { FRAME_HEADER_BYTES, frameBytes, writeFrame } from "./frame.ts";
import { openLog, readAll, text } from "./log.fixture.ts";
import { memoryFiles } from "./memory-files.ts";
import { SEGMENT_HEADER_BYTES } from "./segment.ts";

const SEGMENT_BYTES = 4096;
const RECORDS = 200;
const contentOf = (sequence: number): string => `${sequence}:${"y".repeat((sequence * 53) % 120)}`;
const payloadOf = (sequence: number): Uint8Array => text(contentOf(sequence));

async function intactLog() {
  const memory = memoryFiles();
  const log = await openLog(memory, { segmentBytes: SEGMENT_BYTES });
  for (let sequence = 1; sequence <= RECORDS; sequence++) await log.append(payloadOf(sequence));
  const contents = [...memory.contents()];
  // Where each record's own bytes lie, padding apart.
  const extents = contents.flatMap(([path, bytes]) => {
    let position = SEGMENT_HEADER_BYTES;
    const found: { path: string; sequence: number; from: number; to: number }[] = [];
    for (let sequence = Number(path.slice(4, 24)); sequence <= RECORDS; sequence++) {
      const length = payloadOf(sequence).length;
      if (position + FRAME_HEADER_BYTES + length > bytes.length) break;
      if (new DataView(bytes.buffer, bytes.byteOffset + position).getUint32(24, true) === 1) break;
      found.push({ path, sequence, from: position, to: position + FRAME_HEADER_BYTES + length });
      position += frameBytes(length);
    }
    return found;
  });
  return { contents, extents, epoch: log.epoch };
}
const intact = await intactLog();

test("2,000 damages of up to 4,096 bytes each cost exactly the records they touch [durable-log-5.1] [durable-log-5.2]", async () => {
  expect(intact.extents).toHaveLength(RECORDS);
  const random = new SeededRandom("damage");
  for (let trial = 0; trial < 2000; trial++) {
    const files = memoryFiles();
    const victim = random.below(intact.contents.length);
    const [victimPath = ""] = intact.contents[victim] ?? [];
    const size = intact.contents[victim]?.[1].length ?? 0;
    const from = random.below(size);
    const to = Math.min(size, from + 1 + random.below(random.next() < 0.5 ? 16 : 4096));
    for (const [path, bytes] of intact.contents)
      files.put(path, path === victimPath ? damaged(bytes, from, to, random) : bytes);
    const log = await openLog(files, { segmentBytes: SEGMENT_BYTES });
    expect(log.epoch).toBe(intact.epoch);
    const { records, gaps } = await readAll(log);
    const touched = new Set(
      intact.extents
        .filter((extent) => extent.path === victimPath && extent.from < to && from < extent.to)
        .map(({ sequence }) => sequence),
    );
    const missing = Array.from({ length: RECORDS }, (_, at) => at + 1).filter(
      (sequence) => !records.has(sequence),
    );
    expect(
      missing.filter((sequence) => !touched.has(sequence)),
      `trial ${trial}`,
    ).toEqual([]);
    expect([...records].filter(([sequence, payload]) => payload !== contentOf(sequence))).toEqual([]);
    const told = gaps.flatMap(({ first, last }) =>
      Array.from({ length: last - first + 1 }, (_, at) => first + at),
    );
    const atTheEnd = missing.filter((sequence) => sequence > log.last);
    expect(told).toEqual(missing.filter((sequence) => sequence <= log.last));
    if (atTheEnd.length > 0) expect(log.recovered.tornBytes).toBeGreaterThan(0);
    const fresh = await log.append(text("fresh"));
    expect((await readAll(log, fresh)).records.get(fresh)).toBe("fresh");
  }
}, 60_000);

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
  const [first = ["", new Uint8Array(0)]] = intact.contents;
  const files = memoryFiles();
  for (const [path, bytes] of intact.contents) files.put(path, bytes);
  files.put(
    first[0],
    first[1].map((byte, at) => (at < SEGMENT_HEADER_BYTES ? 0 : byte)),
  );
  const log = await openLog(files);
  expect(log.epoch).toBe(intact.epoch);
  expect((await readAll(log)).order).toHaveLength(RECORDS);

  const empty = await openLog(memoryFiles());
  expect(empty.recovered.isNew).toBe(true);
  expect(empty.epoch).not.toBe(intact.epoch);
  expect(await empty.append(text("first"))).toBe(1);
});

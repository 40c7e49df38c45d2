import { SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { fixtureCrypto } from "./crypto.fixture.ts";
import { inspectLog, readLog } from "./inspect.ts";
import { openLog, readAll, text } from "./log.fixture.ts";
import { memoryFiles, type MemoryFiles } from "./memory-files.ts";
import { repairLog } from "./repair.ts";
import type { LogKeys } from "./segment-cipher.ts";

const isLong = process.env["COALMINE_LONG"] === "1";
const keys: LogKeys = { current: 3, known: new Map([[3, new Uint8Array(32).fill(7)]]) };
const contentOf = (sequence: number): string => `${sequence}:${"w".repeat((sequence * 41) % 90)}`;

async function writtenLog(options: { keys?: LogKeys }): Promise<MemoryFiles> {
  const files = memoryFiles();
  const log = await openLog(files, { segmentBytes: 1024, ...options });
  for (let sequence = 1; sequence <= 80; sequence++) await log.append(text(contentOf(sequence)));
  await (await log.cursor("lake")).advance(12);
  await log.close();
  return files;
}
const copyOf = (files: MemoryFiles): MemoryFiles => {
  const copy = memoryFiles();
  for (const [path, bytes] of files.contents()) copy.put(path, bytes);
  return copy;
};
/** One to three places anywhere in the segments. */
function plantDamage(files: MemoryFiles, random: SeededRandom): void {
  const segments = [...files.contents()].filter(([path]) => path.endsWith(".seg"));
  for (let place = 0; place <= random.below(3); place++) {
    const [path = "", bytes = new Uint8Array(0)] = segments[random.below(segments.length)] ?? [];
    const from = random.below(bytes.length);
    bytes.fill(random.below(256), from, from + 1 + random.below(200));
    files.put(path, bytes);
  }
}
async function readUnopened(files: MemoryFiles) {
  const records = new Map<number, string>();
  const gaps: [number, number][] = [];
  for await (const chunk of readLog(files, "log", fixtureCrypto, { keys })) {
    for (const { sequence, payload } of chunk.records)
      records.set(sequence, new TextDecoder().decode(payload));
    gaps.push(...chunk.gaps.map(({ first, last }): [number, number] => [first, last]));
  }
  return { records, gaps };
}
async function readOpened(files: MemoryFiles) {
  const damaged: { segment: number; from: number; to: number }[] = [];
  const log = await openLog(copyOf(files), {
    keys,
    onDamaged: ({ segment, from, to }) => damaged.push({ segment, from, to }),
  });
  const { records, gaps } = await readAll(log);
  return { records, gaps: gaps.map(({ first, last }): [number, number] => [first, last]), damaged };
}

test.each([
  ["in the clear", {}],
  ["encrypted", { keys }],
])(
  "of a log %s with planted damage, inspection and reader tell the same, and after a repair the same without damage [durable-log-7.1] [durable-log-7.2]",
  async (name, options) => {
    const random = new SeededRandom(`repair ${name}`);
    const intact = await writtenLog(options);
    expect((await inspectLog(intact, "log", fixtureCrypto, keys)).records).toBe(80);
    for (let trial = 0; trial < (isLong ? 1000 : 40); trial++) {
      const files = copyOf(intact);
      plantDamage(files, random);
      const before = files.contents();
      const report = await inspectLog(files, "log", fixtureCrypto, keys);
      const unopened = await readUnopened(files);
      expect(files.contents()).toEqual(before);

      const opened = await readOpened(files);
      expect(unopened).toEqual({ records: opened.records, gaps: opened.gaps });
      const places = report.segments.flatMap(({ first, damaged, tornBytes, sizeBytes }) => [
        ...damaged.map((place) => ({ segment: first, ...place })),
        ...(tornBytes === 0 ? [] : [{ segment: first, from: sizeBytes - tornBytes, to: sizeBytes }]),
      ]);
      const order = (a: { segment: number; from: number }, b: { segment: number; from: number }): number =>
        a.segment - b.segment || a.from - b.from;
      expect(places.sort(order)).toEqual(opened.damaged.sort(order));
      expect([report.records, report.missing]).toEqual([
        opened.records.size,
        opened.gaps.reduce((sum, [first, last]) => sum + last - first + 1, 0),
      ]);

      const repaired = await repairLog(files, "log", fixtureCrypto, keys);
      expect(repaired.flatMap(({ damage }) => damage.filter(({ isKept }) => !isKept))).toEqual([]);
      const after = await inspectLog(files, "log", fixtureCrypto, keys);
      expect(
        after.segments.filter(
          ({ damaged, tornBytes, hasHeader }) => damaged.length + tornBytes > 0 || !hasHeader,
        ),
      ).toEqual([]);
      expect(after.quarantined.filter((file) => file.endsWith(".bin"))).toHaveLength(places.length);
      const reopened = await readOpened(files);
      expect(reopened).toEqual({ ...opened, damaged: [] });
      expect([...reopened.records].filter(([sequence, payload]) => payload !== contentOf(sequence))).toEqual(
        [],
      );
      expect(await repairLog(files, "log", fixtureCrypto, keys)).toEqual([]);
    }
  },
  600_000,
);

test("a damaged segment whose key is not known stays as it is and is told [durable-log-7.3]", async () => {
  const files = await writtenLog({ keys });
  const [path = "", bytes = new Uint8Array(0)] =
    [...files.contents()].find(([name]) => name.endsWith(".seg")) ?? [];
  files.put(path, bytes.fill(0, 100, 120));
  const before = files.contents().get(path);
  const repaired = await repairLog(files, "log", fixtureCrypto);
  expect(repaired).toMatchObject([
    { segment: 1, problem: expect.stringContaining("key 3, which is not known") },
  ]);
  expect(files.contents().get(path)).toEqual(before);
});

import { MeasurementBatch, topics, type Measurement } from "@coalmine/contract";
import { crashState, memoryFiles, recordedFiles, type MemoryFiles } from "@coalmine/durable-log";
import type { JsonObject } from "@coalmine/ports";
import { SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { type LineSiteOptions, simulatedLines } from "../../../simulator/instruments/line-site.ts";
import { lineWorld, modbusLine, points, textLine } from "../test/line-world.ts";

const lineSite = (configuration: JsonObject, given: LineSiteOptions & { files?: MemoryFiles } = {}) =>
  lineWorld(simulatedLines(given), configuration, given.files);
const isLong = process.env["COALMINE_LONG"] === "1";
const lines = [modbusLine(), textLine];
const often: JsonObject = { healthIntervalSeconds: 1, batchSeconds: 1, republishSeconds: 1 };
const nameOf = ({ instrument, boot, sequence, channel }: Measurement) =>
  `${instrument}:${boot}:${sequence}:${channel}`;

/** Every batch as it was first published: whatever happens later, its points may never be others, and none may be lost. */
function publications(w: ReturnType<typeof lineSite>, at: () => number = () => 0) {
  const published = new Map<string, { readonly at: number; readonly points: readonly Measurement[] }>();
  const before = w.ipc.deliver;
  w.ipc.deliver = (topic, message) => {
    if (topic === topics.measurements) {
      const batch = MeasurementBatch.parse("json" in message ? message.json : undefined);
      const first = published.get(batch.batch);
      if (first === undefined) published.set(batch.batch, { at: at(), points: batch.points });
      else expect(batch.points).toEqual(first.points);
    }
    return before(topic, message);
  };
  return published;
}

function expectSums(w: ReturnType<typeof lineSite>): void {
  const { counters, gauges } = w.health();
  const of = (counter: string) => counters[counter] ?? 0;
  expect(of("readings") + of("restored")).toBe(of("acknowledged") + (gauges["unacknowledged"] ?? 0));
}

test("a crash at any point, with whatever the disk dropped, tore or reordered: what was published is published again, as it was, and no name is given twice", async () => {
  const { files, events } = recordedFiles();
  const first = lineSite({ ...often, lines }, { files });
  const published = publications(first, () => events.length);
  const stored: { readonly at: number; readonly batch: string }[] = [];
  first.uploader.onDurable = (batch) => stored.push({ at: events.length, batch });
  first.text.start();
  await first.startReader();
  for (const [upMs, downMs] of [
    [9000, 6000],
    [14_000, 8000],
    [9000, 2000],
  ] as const) {
    await first.run(upMs);
    first.uploader.kill();
    await first.run(downMs);
    first.uploader.startAgain();
  }
  await first.run(9000);
  // Nothing is measured: what is acknowledged is freed.
  first.text.stop();
  first.links.unplug("rs485");
  await first.run(11_000);
  first.text.start();
  first.links.plug("rs485");
  await first.run(3000);
  expect(published.size).toBeGreaterThan(100);
  expect(events.filter((event) => event.kind === "unname" && event.name.endsWith(".seg"))).toHaveLength(1);

  const random = new SeededRandom("crashes");
  const step = isLong ? 1 : 3;
  let restored = 0;
  for (let length = 0; length <= events.length; length += step)
    for (const fate of isLong
      ? (["kept", "dropped", "chance", "chance"] as const)
      : (["dropped", "chance"] as const)) {
      const isQuiet = length % 2 === 0;
      const left = crashState(events, length, fate, random);
      // Half of the time nobody wants lines any more: what is left has to go out all the same.
      const second = lineSite(
        { ...often, lines: isQuiet ? [] : lines },
        { files: left, startMs: first.clock.now() },
      );
      await second.startReader();
      await second.run(isQuiet ? 100 : 2500);
      const durable = second.uploader.durable;
      const safe = new Set(stored.filter(({ at }) => at <= length).map(({ batch }) => batch));
      const lost = [...published].filter(
        ([batch, { at, points }]) =>
          at <= length && !safe.has(batch) && !points.every((point) => durable.has(nameOf(point))),
      );
      expect(
        lost.map(([batch]) => batch),
        `after ${length} events, ${fate}`,
      ).toEqual([]);
      const old = new Map(
        [...published.values()].flatMap(({ points }) => points.map((point) => [nameOf(point), point])),
      );
      for (const [name, point] of durable) {
        const known = old.get(name);
        if (known !== undefined) expect(point).toEqual(known);
        // What was kept and not published yet has a name of the first life, everything else one of the second.
        else
          expect(isQuiet ? 0 : point.boot).toBeGreaterThan(
            Math.max(0, ...[...old.values()].map(({ boot }) => boot)),
          );
      }
      restored += second.uploader.batches.filter(({ batch }) => published.has(batch)).length;
    }
  expect(restored).toBeGreaterThan(500);
}, 300_000);

test("kills and power cuts on a bus that loses: nothing published is lost, and of what was read no more than a batch's time", async () => {
  const [point] = points;
  const w = lineSite({
    ...often,
    lines: [modbusLine({ instruments: [{ id: "meter-1", periodSeconds: 0.1, points: [point ?? {}] }] })],
  });
  const chaos = w.random.fork("chaos");
  w.ipc.deliver = () => chaos.next() > 0.2;
  const published = publications(w);
  const polls: number[] = [];
  let reader = await w.startReader();
  for (let life = 0; life < (isLong ? 400 : 40); life++) {
    const before = w.slave.asked.length;
    await w.run(8000 * chaos.next());
    if (chaos.next() < 0.5) reader.kill();
    // The process alone: what it wrote is in the page cache.
    else reader.kill("process");
    polls.push(w.slave.asked.length - before);
    reader = await w.startReader();
  }
  w.ipc.deliver = () => true;
  await w.run(150_000);
  for (const { points } of published.values())
    for (const each of points) expect(w.uploader.durable.get(nameOf(each))).toEqual(each);
  const flow = w.of("meter-1", "flow");
  const boots = [...new Set(flow.map(({ boot }) => boot))].sort((a, b) => a - b);
  const counts = boots.map((boot) => flow.filter((each) => each.boot === boot).length);
  for (const boot of boots) {
    const sequences = flow.filter((each) => each.boot === boot).map(({ sequence }) => sequence);
    expect(sequences.sort((a, b) => a - b)).toEqual(sequences.map((_, index) => index));
  }
  // A second of readings each, and the one that was being read.
  const lost =
    polls.reduce((sum, each) => sum + each, 0) - counts.slice(0, -1).reduce((sum, each) => sum + each, 0);
  expect(lost).toBeLessThanOrEqual(polls.length * 11);
  expectSums(w);
}, 300_000);

test("while nothing is acknowledged the disk keeps to its bound, over restarts; then ticks are missed, lines dropped, and both said once", async () => {
  const fast = modbusLine({
    instruments: [1, 2].map((unit) => ({ id: `meter-${unit}`, unit, periodSeconds: 0.25, points })),
  });
  const w = lineSite({ ...often, lines: [fast, textLine], backlogMiB: 2, unacknowledgedMax: 100_000 });
  w.uploader.kill();
  w.text.start();
  const reader = await w.startReader();
  await w.run(120_000);
  reader.kill();
  await w.startReader();
  const linesBefore = w.text.sent.length;
  let largest = 0;
  for (let minute = 0; minute < 6; minute++) {
    await w.run(60_000);
    largest = Math.max(largest, w.files.usedBytes());
  }
  // Beside the log: its cursor, the number of the start, and where they were kept.
  expect(largest).toBeLessThanOrEqual(2 * 2 ** 20 + 32 * 1024);
  expect(largest).toBeGreaterThan(1.5 * 2 ** 20);
  const { counters, gauges } = w.health();
  expect(counters["missedTicks"]).toBeGreaterThan(100);
  expect(counters["dropped"]).toBeGreaterThan(50);
  expect(counters["unkept"]).toBe(0);
  expect(gauges["backlogBytes"]).toBeLessThanOrEqual(2 * 2 ** 20);
  expect(w.logged.filter(({ message }) => message.startsWith("no more readings"))).toHaveLength(3);
  const of = (counter: string) => counters[counter] ?? 0;
  // Every tick is a reading or missed, every line a reading or dropped; one of each may be on its way.
  const taken = of("ticks") - of("missedTicks") + (w.text.sent.length - linesBefore) - of("dropped");
  expect(Math.abs(taken - of("readings"))).toBeLessThanOrEqual(2);
  expectSums(w);
  w.uploader.startAgain();
  await w.run(300_000);
  expectSums(w);
  expect(w.health().gauges["unacknowledged"]).toBeLessThan(30);
  // One segment, which is being written.
  expect(w.health().gauges["backlogBytes"]).toBeLessThan(512 * 1024);
  // Room again: it is read again.
  const flow = w.of("meter-1", "flow");
  expect(w.clock.now() - Math.max(...flow.map(({ sampleTimeMs }) => sampleTimeMs))).toBeLessThan(3000);
}, 60_000);

test("readings that wait for the clock are on disk: a power cut leaves them without a date, a clock that is set dates them once", async () => {
  for (const isCut of [false, true]) {
    const w = lineSite({ ...often, lines });
    w.wall.wrongMs = -w.clock.now();
    const reader = await w.startReader();
    await w.run(10_500);
    expect(w.uploader.durable.size).toBe(0);
    if (isCut) {
      reader.kill();
      await w.startReader();
    }
    w.wall.wrongMs = 0;
    await w.run(5000);
    const [boot = 0] = [...w.uploader.durable.values()].map((point) => point.boot).sort((a, b) => a - b);
    const waited = w.of("meter-1", "flow").filter((point) => point.boot === boot);
    expect(waited.length).toBeGreaterThanOrEqual(10);
    expect(waited.map(({ sequence }) => sequence)).toEqual(waited.map((_, index) => index));
    const offset = w.clock.now() - w.clock.monotonicMs();
    for (const point of waited)
      if (isCut) expect(point.quality).toEqual({ level: "uncertain", cause: "stale" });
      else
        expect(Math.abs(point.sampleTimeMs - offset - 1000 * point.value)).toBeLessThanOrEqual(
          point.sampleTimeUncertaintyMs,
        );
    expectSums(w);
  }
});

test("a full disk stops nothing: readings go on from memory, counted and said once, until it takes them again", async () => {
  const files = memoryFiles({ capacityBytes: 600_000 });
  const w = lineSite({ ...often, lines }, { files });
  files.put("other", new Uint8Array(570_000));
  w.uploader.kill();
  await w.startReader();
  await w.run(30_000);
  expect(w.health().counters["unkept"]).toBeGreaterThan(10);
  expect(w.logged.filter(({ message }) => message.includes("in memory alone"))).toHaveLength(1);
  w.uploader.startAgain();
  await w.run(60_000);
  await files.remove("other");
  await w.run(3000);
  const before = w.health().counters["unkept"];
  await w.run(30_000);
  expect(w.health().counters["unkept"]).toBe(before);
  const sequences = w.of("meter-1", "flow").map(({ sequence }) => sequence);
  expect(sequences.sort((a, b) => a - b)).toEqual(sequences.map((_, index) => index));
  expectSums(w);
});

test("a damaged backlog costs the batches that it held there, which is said; the others arrive", async () => {
  const w = lineSite({ ...often, lines });
  w.uploader.kill();
  const published = publications(w);
  const reader = await w.startReader();
  await w.run(20_000);
  reader.kill();
  const before = [...published.values()];
  const [path = "", bytes = new Uint8Array(0)] =
    [...w.files.contents()].find(([name]) => name.startsWith("backlog/") && name.endsWith(".seg")) ?? [];
  bytes.fill(0, bytes.length >> 1, (bytes.length >> 1) + 10);
  w.files.put(path, bytes);
  w.uploader.startAgain();
  await w.startReader();
  await w.run(3000);
  const lost = before.filter(({ points }) => !points.every((point) => w.uploader.durable.has(nameOf(point))));
  expect([1, 2]).toContain(lost.length);
  expect(w.logged.find(({ message }) => message.startsWith("readings are lost"))?.fields).toEqual({
    batches: lost.length,
  });
});

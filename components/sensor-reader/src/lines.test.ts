import type { JsonObject } from "@coalmine/ports";
import { expect, test } from "vitest";
import { type LineSiteOptions, simulatedLines } from "../../../simulator/instruments/line-site.ts";
import { lineWorld, modbusLine, points, textLine } from "../test/line-world.ts";

const site = (configuration: JsonObject, given: LineSiteOptions = {}) =>
  lineWorld(simulatedLines(given), configuration);

test("two slaves on one line are read on schedule: values, units, quality, time; the hole is learned", async () => {
  const w = site({ lines: [modbusLine()], healthIntervalSeconds: 1 });
  await w.startReader();
  await w.run(60_000);
  for (const id of ["meter-1", "meter-2"]) {
    const flow = w.of(id, "flow");
    expect(flow.length).toBeGreaterThanOrEqual(57);
    expect(flow.map(({ sequence }) => sequence)).toEqual(flow.map((_, index) => index));
    for (const point of flow) {
      // It counts true time in seconds: what was read must be what was there when it says it was.
      const trueMs = w.clock.now() - w.clock.monotonicMs() + 1000 * point.value;
      expect(Math.abs(point.sampleTimeMs - trueMs)).toBeLessThanOrEqual(point.sampleTimeUncertaintyMs);
      expect(point.sampleTimeUncertaintyMs).toBeLessThan(15);
      expect(point).toMatchObject({ unit: "l/min", quality: { level: "good" }, calibrationId: "instrument" });
    }
    expect(
      w.of(id, "gone").every(({ quality }) => quality.level === "bad" && quality.cause === "instrument"),
    ).toBe(true);
  }
  // Once for all, once without the hole, and from then on two requests a tick and slave.
  expect(w.slave.asked.filter((request) => request === "1 3 0 12")).toHaveLength(1);
  const perTick = w.slave.asked.length / (w.of("meter-1", "flow").length + w.of("meter-2", "flow").length);
  expect(perTick).toBeLessThan(2.2);
  const { counters } = w.health();
  expect(counters["ticks"]).toBe((counters["readings"] ?? 0) + (counters["missedTicks"] ?? 0));
});

test("a slave that is slower than its period: ticks are missed and counted, never bunched, and do not creep", async () => {
  const w = site(
    { lines: [modbusLine({ timeoutMs: 5000 })], healthIntervalSeconds: 1 },
    { slave: { thinksMs: () => 600 } },
  );
  await w.startReader();
  await w.run(120_000);
  const { counters } = w.health();
  expect(counters["missedTicks"]).toBeGreaterThan(20);
  expect(counters["ticks"]).toBe((counters["readings"] ?? 0) + (counters["missedTicks"] ?? 0));
  expect(counters["ticks"]).toBeGreaterThanOrEqual(2 * 116);
  expect(counters["ticks"]).toBeLessThanOrEqual(2 * 121);
});

test("lines of text become readings; damaged ones are refused, and an empty field is bad with the last value", async () => {
  let damage = false;
  const w = site(
    { lines: [textLine], healthIntervalSeconds: 1 },
    {
      line: () => ({
        mangle: (bytes) => {
          if (damage) bytes[9] = (bytes[9] ?? 0) ^ 4;
          damage = false;
          return bytes;
        },
      }),
    },
  );
  await w.startReader();
  w.text.start();
  await w.run(20_000);
  damage = true;
  await w.run(20_000);
  w.text.stop();
  await w.run(5000);
  const count = w.of("weather-1", "count");
  expect(count.length).toBe(w.text.sent.length - 1);
  const truth = new Map(w.text.sent.map(({ count, atMs }) => [count, atMs]));
  for (const point of count)
    expect(Math.abs(point.sampleTimeMs - (truth.get(point.value) ?? 0))).toBeLessThanOrEqual(
      point.sampleTimeUncertaintyMs,
    );
  const bad = w.of("weather-1", "temperature").filter(({ quality }) => quality.level === "bad");
  expect(bad.length).toBeGreaterThan(5);
  expect(
    bad
      .slice(1)
      .every(
        ({ value, quality }) => value === 21.5 && quality.level === "bad" && quality.cause === "instrument",
      ),
  ).toBe(true);
  expect(w.health().counters).toMatchObject({ framesRefused: 1 });
});

test("lines that hang up, garble, are late, and a reader and an uploader that die: every reading taken has one name, and none of another", async () => {
  const w = site(
    { lines: [modbusLine(), textLine], healthIntervalSeconds: 1, republishSeconds: 1 },
    {
      slave: { thinksMs: () => (w.random.next() < 0.05 ? 400 * w.random.next() : 5) },
      line: (random, clock) => ({
        clock,
        latencyMs: () => 1 + 4 * random.next(),
        mangle: (bytes) => {
          const fate = random.next();
          if (fate < 0.02) return undefined;
          if (fate < 0.04) bytes[random.below(bytes.length)] = random.below(256);
          return bytes;
        },
      }),
    },
  );
  w.text.start();
  let reader = await w.startReader();
  for (let round = 0; round < 32; round++) {
    await w.run(10_000 * w.random.next());
    if (round % 4 === 0) w.links.hangUp("rs485");
    else if (round % 4 === 1) w.links.hangUp("weather:4001");
    else if (round % 4 === 2) {
      w.uploader.kill();
      await w.run(3000);
      w.uploader.startAgain();
    } else if (round % 8 === 3) {
      reader.kill();
      reader = await w.startReader();
    }
  }
  await w.run(30_000);
  expect(w.uploader.invalid).toEqual([]);
  const offset = w.clock.now() - w.clock.monotonicMs();
  for (const id of ["meter-1", "meter-2"]) {
    const flow = w.of(id, "flow");
    expect(flow.length).toBeGreaterThan(60);
    for (const point of flow.filter(({ quality }) => quality.level === "good"))
      // A late answer that was taken for another would be wrong by a period.
      expect(Math.abs(point.sampleTimeMs - offset - 1000 * point.value)).toBeLessThanOrEqual(
        point.sampleTimeUncertaintyMs,
      );
    const boots = new Set(flow.map(({ boot }) => boot));
    expect(boots.size).toBeGreaterThan(3);
    // Of a start of the reader, a prefix: nothing in the middle is lost.
    for (const boot of boots) {
      const sequences = flow
        .filter((point) => point.boot === boot)
        .map(({ sequence }) => sequence)
        .sort((a, b) => a - b);
      expect(sequences).toEqual(sequences.map((_, index) => index));
    }
  }
  // A line of text that was read twice would be under two names.
  const counts = w.of("weather-1", "count").map(({ value }) => value);
  expect(new Set(counts).size).toBe(counts.length);
}, 60_000);

test("while nothing is acknowledged no more readings are kept than configured: ticks are missed, lines are dropped", async () => {
  const w = site({ lines: [modbusLine(), textLine], healthIntervalSeconds: 1, unacknowledgedMax: 100 });
  w.uploader.kill();
  w.text.start();
  await w.startReader();
  await w.run(150_000);
  const { counters, gauges } = w.health();
  expect(gauges["unacknowledged"]).toBe(300);
  expect(counters["readings"]).toBe(300);
  expect(counters["dropped"]).toBeGreaterThan(150);
  expect(counters["ticks"]).toBe(200 + (counters["missedTicks"] ?? 0));
  w.uploader.startAgain();
  await w.run(100_000);
  expect(w.health().counters["acknowledged"]).toBeGreaterThan(450);
}, 30_000);

test.each([
  [
    "an unknown unit",
    { ...textLine, sentences: [{ fields: [{ at: 0, channel: "t", unit: "degC" }] }] },
    "lines.0.sentences.0.fields.0.unit",
    "UCUM",
  ],
  [
    "a bit of a register",
    modbusLine({
      instruments: [
        {
          id: "m",
          periodSeconds: 1,
          points: [{ channel: "b", unit: "1", function: 3, address: 0, type: "bit" }],
        },
      ],
    }),
    "lines.0.instruments.0.points.0.type",
    "registers: any type but bit",
  ],
  [
    "a period of nothing",
    modbusLine({ instruments: [{ id: "m", periodSeconds: 0, points }] }),
    "lines.0.instruments.0.periodSeconds",
    "0.01",
  ],
  ["an unknown key", modbusLine({ timeout: 3 }), "lines.0", "timeout"],
])("%s is refused with key, value and what is allowed", async (_, line, key, allowed) => {
  const w = site({});
  await w.startReader();
  const [answer] = await w.ipc.validate({ lines: [line] });
  expect(answer).toMatchObject({ status: "REJECTED", message: expect.stringContaining(`"${key}" is `) });
  expect(answer).toMatchObject({ message: expect.stringContaining(allowed) });
});

test("one instrument on two lines, and two lines on one port, are refused by name", async () => {
  const w = site({});
  await w.startReader();
  const [answer] = await w.ipc.validate({ lines: [modbusLine(), modbusLine()] });
  expect(answer).toMatchObject({ message: expect.stringContaining("meter-1 stands twice") });
  expect(answer).toMatchObject({ message: expect.stringContaining("rs485 stands twice") });
});

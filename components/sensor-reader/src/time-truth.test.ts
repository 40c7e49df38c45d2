import type { Measurement } from "@coalmine/contract";
import { writeNumber } from "@coalmine/modbus";
import { DrivenClock, SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { hostedLinks } from "../../../simulator/instruments/hosted-links.ts";
import { ModbusSlave } from "../../../simulator/instruments/modbus-slave.ts";
import { simulatedSite } from "../../../simulator/instruments/site.ts";
import { compare, minutes, world } from "../test/world.ts";

const HOUR = 3_600_000;
const jittered = (random: SeededRandom, clock: DrivenClock) => ({
  clock,
  latencyMs: () => 1 + 19 * random.next(),
});

/** A site with two rheometers behind lines of 1 to 20 ms, and what is true of a point. */
function truthful(seed: string) {
  const w = world(simulatedSite({ seed, instruments: 2, line: jittered }), { timeExchangeSeconds: 120 });
  for (const instrument of w.instruments) instrument.start();
  const errorOf = (point: Measurement): number => {
    truth ??= new Map(
      w.ledger.entries.map((entry) => [
        `${entry.instrument}:${entry.boot}:${entry.sequence}`,
        entry.sampledMs,
      ]),
    );
    return (
      point.sampleTimeMs - (truth.get(`${point.instrument}:${point.boot}:${point.sequence}`) ?? Number.NaN)
    );
  };
  let truth: Map<string, number> | undefined;
  return { ...w, errorOf };
}

function inOrder(points: readonly Measurement[]): boolean {
  const last = new Map<string, number>();
  return points
    .filter(({ channel }) => channel.endsWith("temperature"))
    .toSorted((a, b) => a.boot - b.boot || a.sequence - b.sequence)
    .every((point) => {
      const key = `${point.instrument}:${point.boot}`;
      const before = last.get(key) ?? -Infinity;
      last.set(key, point.sampleTimeMs);
      return point.sampleTimeMs >= before;
    });
}

test("a device that boots in 1970 reads nothing undated: after the clock is set all of it arrives, with the times it should have", async () => {
  const w = truthful("1970");
  w.wall.wrongMs = -w.clock.now();
  await w.startReader();
  await w.run(minutes(30));
  expect(w.uploader.durable.size).toBe(0);
  w.wall.wrongMs = 0;
  await w.run(minutes(30));
  for (const instrument of w.instruments) instrument.rest();
  await w.run(minutes(5));
  expect(compare(w.ledger, w.uploader.durable)).toEqual({ lost: [], invented: [] });
  const points = [...w.uploader.durable.values()];
  expect(points.every(({ quality }) => quality.level === "good")).toBe(true);
  expect(points.every((point) => Math.abs(w.errorOf(point)) <= point.sampleTimeUncertaintyMs)).toBe(true);
  expect(inOrder(points)).toBe(true);
});

test("a clock that nobody ever sets holds readings back only for so long, and then they say that they are undated", async () => {
  const w = world(simulatedSite(), { clockPatienceSeconds: 60 });
  w.instruments[0]?.start();
  w.wall.wrongMs = -w.clock.now();
  await w.startReader();
  await w.run(minutes(10));
  const points = [...w.uploader.durable.values()];
  expect(points.length).toBeGreaterThan(50);
  for (const { quality, sampleTimeUncertaintyMs } of points) {
    expect(quality.level).not.toBe("good");
    expect(sampleTimeUncertaintyMs).toBeGreaterThan(1e12);
  }
});

test("while NTP sets the clock by an hour and back, times since the last step are true, and no reading is lost", async () => {
  const w = truthful("steps");
  await w.startReader();
  await w.run(HOUR);
  w.wall.wrongMs = -HOUR;
  await w.run(minutes(20));
  w.wall.wrongMs = HOUR;
  await w.run(minutes(20));
  w.wall.wrongMs = 0;
  // Long enough for the rate to be known.
  await w.run(minutes(10));
  const settledMs = w.clock.now();
  await w.run(2 * HOUR);
  for (const instrument of w.instruments) instrument.rest();
  await w.run(minutes(5));
  expect(compare(w.ledger, w.uploader.durable)).toEqual({ lost: [], invented: [] });
  const after = [...w.uploader.durable.values()].filter(
    (point) => point.sampleTimeMs - w.errorOf(point) > settledMs,
  );
  const errors = after.map((point) => Math.abs(w.errorOf(point))).sort((a, b) => a - b);
  const covered = after.filter((point) => Math.abs(w.errorOf(point)) <= point.sampleTimeUncertaintyMs).length;
  const p99 = errors[Math.floor(0.99 * errors.length)] ?? Infinity;
  console.info(
    `after steps of an hour: p99 ${p99.toFixed(2)} ms, covered ${((100 * covered) / after.length).toFixed(1)} %`,
  );
  expect(after.length).toBeGreaterThan(2000);
  expect(p99).toBeLessThan(2);
  expect(covered / after.length).toBeGreaterThan(0.95);
  expect(inOrder(after)).toBe(true);
}, 60_000);

test("a polled instrument's readings, too, wait for the clock and get their true times", async () => {
  const clock = new DrivenClock(Date.UTC(2026, 0, 5), () => new Promise((done) => setImmediate(done)));
  const random = new SeededRandom("polled");
  const slave = new ModbusSlave({
    id: "rs485",
    framing: "rtu",
    clock,
    value: (_unit, _code, address) => {
      const bytes = writeNumber(clock.monotonicMs() / 1000, "f32", "abcd");
      return (bytes[2 * address] ?? 0) * 256 + (bytes[2 * address + 1] ?? 0);
    },
  });
  const w = world(
    { clock, random, links: hostedLinks([slave], jittered(random, clock)) },
    {
      lines: [
        {
          kind: "modbus",
          link: { kind: "serial", id: "rs485" },
          framing: "rtu",
          instruments: [
            {
              id: "m",
              periodSeconds: 1,
              points: [{ channel: "seconds", unit: "s", function: 4, address: 0, type: "f32" }],
            },
          ],
        },
      ],
    },
  );
  w.wall.wrongMs = -clock.now();
  await w.startReader();
  await w.run(60_000);
  expect(w.uploader.durable.size).toBe(0);
  w.wall.wrongMs = 0;
  await w.run(60_000);
  const points = [...w.uploader.durable.values()];
  expect(points.length).toBeGreaterThan(115);
  const bootMs = clock.now() - clock.monotonicMs();
  for (const point of points)
    expect(Math.abs(point.sampleTimeMs - bootMs - 1000 * point.value)).toBeLessThanOrEqual(
      point.sampleTimeUncertaintyMs,
    );
});

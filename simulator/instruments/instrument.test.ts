import {
  FrameDecoder,
  readFromInstrument,
  writeFromHost,
  type FromHost,
  type FromInstrument,
} from "@coalmine/instrument";
import { DrivenClock, SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { Instrument, type InstrumentOptions } from "./instrument.ts";
import { MemoryLedger } from "./ledger.ts";
import { cable, type LineOptions } from "./memory-link.ts";
import { Rheometer } from "./rheometer.ts";

const drain = () => new Promise<void>((done) => setImmediate(done));
const minutes = (n: number) => n * 60_000;

function bench(options: Partial<InstrumentOptions> = {}) {
  const clock = new DrivenClock(1_700_000_000_000, drain);
  const ledger = new MemoryLedger();
  const random = new SeededRandom("instrument");
  const rheometer = new Rheometer({ random: random.fork("rheometer") });
  const instrument = new Instrument({ id: "rheo-1", clock, random, source: rheometer, ledger, ...options });
  return { clock, ledger, instrument, rheometer };
}

function host(instrument: Instrument, line: LineOptions = {}) {
  const [near, far] = cable(line).ends;
  const heard: FromInstrument[] = [];
  const texts: string[] = [];
  const decoder = new FrameDecoder((decoded) => {
    if (decoded.kind === "boot-text") texts.push(decoded.text);
    if (decoded.kind !== "frame") return;
    const message = readFromInstrument(decoded.frame);
    if (message.kind !== "not-understood") heard.push(message);
  });
  near.onData((bytes) => decoder.push(bytes));
  instrument.attach(far);
  const say = (message: FromHost) => near.write(writeFromHost(message));
  return { heard, texts, say };
}
const readings = (heard: readonly FromInstrument[]) =>
  heard.flatMap((message) => (message.kind === "reading" ? [message] : []));

test.each(["point", "curve"] as const)(
  "measures a curve of 20 points every 5 minutes, the control fluid once an hour, sending by %s",
  async (transmit) => {
    const { clock, ledger, instrument } = bench({ transmit });
    const { heard } = host(instrument);
    instrument.start();
    await clock.runUntil(clock.now() + minutes(119));
    const got = readings(heard);
    expect(got).toHaveLength(24 * 20);
    expect(got.map((reading) => reading.sequence)).toEqual([...got.keys()]);
    const controls = got.filter((reading) => reading.reading.control).map((reading) => reading.reading.curve);
    expect([...new Set(controls)]).toEqual([0, 12]);
    expect(ledger.entries.map((entry) => [entry.boot, entry.sequence, entry.channels])).toEqual(
      got.map((reading) => [1, reading.sequence, 5]),
    );
    // The device's counter tells when each point was sampled, to the quartz's 50 ppm.
    const since = got.map((reading, index) => {
      const trueMs = (ledger.entries[index]?.sampledMs ?? 0) - 1_700_000_000_000;
      return Math.abs(reading.deviceUs / 1000 - trueMs) / (trueMs + 10);
    });
    expect(Math.max(...since)).toBeLessThan(51e-6);
    expect((ledger.entries[1]?.sampledMs ?? 0) - (ledger.entries[0]?.sampledMs ?? 0)).toBe(500);
  },
);

test("keeps readings until they are acknowledged and sends again from any of them, as many as asked", async () => {
  const { clock, instrument } = bench();
  instrument.start();
  await clock.runUntil(clock.now() + minutes(9));
  const { heard, say } = host(instrument);
  await say({ kind: "acknowledge", upTo: { boot: 1, sequence: 14 } });
  await say({ kind: "who", request: 7 });
  await say({ kind: "replay", request: 8, from: { boot: 0, sequence: 0 }, limit: 10 });
  await clock.settle();
  expect(heard[0]).toMatchObject({
    kind: "hello",
    request: 7,
    next: 40,
    kept: 25,
    oldest: { boot: 1, sequence: 15 },
  });
  expect(heard[1]).toMatchObject({
    kind: "replaying",
    request: 8,
    first: { boot: 1, sequence: 15 },
    count: 10,
  });
  expect(readings(heard).map((reading) => reading.sequence)).toEqual([
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
  ]);
});

test("a restart prints boot text, counts, begins at 0, and keeps what nobody acknowledged", async () => {
  const { clock, instrument } = bench();
  const { heard, texts, say } = host(instrument);
  instrument.start();
  await clock.runUntil(clock.now() + minutes(4));
  instrument.start();
  await clock.runUntil(clock.now() + minutes(4));
  expect(texts.at(-1)).toContain("POWERON_RESET");
  heard.length = 0;
  await say({ kind: "replay", request: 1, from: { boot: 1, sequence: 18 }, limit: 4 });
  await clock.settle();
  expect(readings(heard).map((reading) => [reading.boot, reading.sequence])).toEqual([
    [1, 18],
    [1, 19],
    [2, 0],
    [2, 1],
  ]);
});

test("a full ring gives up its oldest readings and says how many", async () => {
  const { clock, instrument } = bench({ ringReadings: 30 });
  instrument.start();
  await clock.runUntil(clock.now() + minutes(14));
  const { heard, say } = host(instrument);
  await say({ kind: "who", request: 1 });
  await clock.settle();
  expect(heard[0]).toMatchObject({ kept: 30, overwritten: 30, oldest: { boot: 1, sequence: 30 } });
});

test("answers a time request with when it came and when the answer left", async () => {
  const { clock, instrument } = bench();
  instrument.start();
  await clock.runUntil(clock.now() + minutes(1));
  const { heard, say } = host(instrument);
  await say({ kind: "time-request", request: 3 });
  await clock.settle();
  expect(heard).toMatchObject([{ kind: "time", request: 3, next: 20 }]);
  const answer = heard[0];
  expect(answer?.kind === "time" && Math.abs(answer.receivedUs - 60e6)).toBeLessThan(60e6 * 51e-6);
});

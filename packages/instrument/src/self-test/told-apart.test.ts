import { InstrumentId, type SelfTestOutcome } from "@coalmine/contract";
import { DrivenClock, SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { hostedLinks, type Attachable } from "../../../../simulator/instruments/hosted-links.ts";
import { Instrument } from "../../../../simulator/instruments/instrument.ts";
import { MemoryLedger } from "../../../../simulator/instruments/ledger.ts";
import { ModbusSlave } from "../../../../simulator/instruments/modbus-slave.ts";
import { Rheometer, type EmptyFault } from "../../../../simulator/instruments/rheometer.ts";
import { nmea, TextInstrument } from "../../../../simulator/instruments/text-instrument.ts";
import type { Character, Wires } from "../../../../simulator/instruments/uart.ts";
import { echoing, mute, wired } from "../../../../simulator/instruments/wiring.ts";
import { framings } from "../framing.ts";
import { LineConfig } from "../lines.ts";
import { USUAL_RATES } from "./diagnosis.ts";
import { framedSelfTest, selfTestLimits } from "./framed-self-test.ts";
import { lineSelfTest } from "./line-self-test.ts";

/**
 * Every fault over many seeds, on a modelled line and a driven clock: `COALMINE_LONG=1` runs 1,000 of each. The counts
 * that README.md states are printed.
 */
const RUNS = process.env["COALMINE_LONG"] === undefined ? 200 : 1000;
const PROTOCOLS = ["cobs", "slip", "modbus", "text"] as const;
type Protocol = (typeof PROTOCOLS)[number];

const quick = () => new Promise<void>((done) => setImmediate(done));
const ID = "port";

interface Planted {
  readonly own?: Partial<Character>;
  readonly wires?: Wires;
  readonly behind?: Attachable;
  readonly sensor?: Partial<EmptyFault>;
}
/** Two clocks of 1 % each: what UARTs are built for. */
const CLOCKS_SHARE = 0.02;

/** One port, one instrument behind it, one fault, one self-test. */
async function run(
  protocol: Protocol,
  seed: string,
  plant: (random: SeededRandom, meant: Character, clock: DrivenClock) => Planted,
): Promise<SelfTestOutcome> {
  const random = new SeededRandom(seed);
  const clock = new DrivenClock(Date.UTC(2026, 0, 5), quick);
  const parity = protocol === "modbus" ? (["none", "even", "odd"] as const)[random.below(3)] : "none";
  const meant: Character = { baudRate: USUAL_RATES[random.below(8)] ?? 9600, parity: parity ?? "none" };
  const { own, wires, sensor, behind = made(protocol, clock, random, sensor) } = plant(random, meant, clock);
  const its = { ...meant, ...own };
  const attachable = wired(behind, {
    own: { ...its, baudRate: its.baudRate * (1 + CLOCKS_SHARE * (2 * random.next() - 1)) },
    random: random.fork("line"),
    clock,
    ...(wires === undefined ? {} : { wires }),
  });
  const links = hostedLinks([attachable]);
  const target = { kind: "serial", id: ID, ...meant } as const;
  const outcome =
    protocol === "cobs" || protocol === "slip"
      ? framedSelfTest({ links, clock, target, framing: protocol })
      : lineSelfTest(lineConfig(protocol, meant), { links, clock }).then(([first]) => {
          if (first === undefined) throw new Error("a line has an instrument");
          return first;
        });
  let over = false;
  void outcome.finally(() => (over = true));
  while (!over) await clock.runUntil(clock.now() + 5000);
  return outcome;
}

function made(
  protocol: Protocol,
  clock: DrivenClock,
  random: SeededRandom,
  sensor: Partial<EmptyFault> = {},
): Attachable {
  if (protocol === "modbus")
    return new ModbusSlave({
      id: ID,
      framing: "rtu",
      clock,
      value: () => random.below(65_536),
      thinksMs: () => 5 + random.below(40),
    });
  if (protocol === "text") {
    const periodMs = 500 + random.below(1500);
    const text = new TextInstrument({
      id: ID,
      clock,
      periodMs,
      content: () =>
        nmea(`WIMDA,${(29 + random.next()).toFixed(2)},I,${(20 + 5 * random.next()).toFixed(1)},C`),
    });
    text.start();
    return text;
  }
  const source = new Rheometer({ random: random.fork("rheometer") });
  source.emptyFault = { noisePa: 0, driftPaPerMinute: 0, residuePa: 0, ...sensor };
  const instrument = new Instrument({
    id: ID,
    clock,
    random,
    source,
    ledger: new MemoryLedger(),
    framing: framings[protocol],
    phaseMs: 3_600_000,
  });
  instrument.start();
  return instrument;
}

function lineConfig(protocol: "modbus" | "text", meant: Character): LineConfig {
  const link = { kind: "serial", id: ID, baudRate: meant.baudRate, parity: meant.parity };
  return LineConfig.parse(
    protocol === "modbus"
      ? {
          kind: "modbus",
          link,
          framing: "rtu",
          timeoutMs: 400,
          instruments: [
            {
              id: "meter",
              periodSeconds: 1,
              points: [{ channel: "flow", unit: "l/min", function: 3, address: 7 }],
            },
          ],
        }
      : {
          kind: "text",
          link,
          id: "weather",
          checksum: "nmea",
          sentences: [{ begins: "WIMDA", fields: [{ at: 3, channel: "temperature", unit: "Cel" }] }],
        },
  );
}

const otherRate = (random: SeededRandom, { baudRate }: Character) => {
  const others = USUAL_RATES.slice(0, 8).filter((rate) => rate !== baudRate);
  return others[random.below(others.length)] ?? 9600;
};
const swappedWires = (random: SeededRandom): Wires => ({
  swapped: true,
  idle: random.next() < 0.5 ? "mark" : "space",
});

/** SLIP differs from COBS by its framing alone. */
const runsOf = (protocol: Protocol) => (protocol === "slip" ? RUNS / 4 : RUNS);

/** The share of `runs` whose outcome is named `wanted`, and what the others were. */
async function told(wanted: string, outcome: (seed: string) => Promise<string>, runs = RUNS) {
  const others: Record<string, number> = {};
  let right = 0;
  for (let seed = 0; seed < runs; seed++) {
    const name = await outcome(`${wanted} ${seed}`);
    if (name === wanted) right++;
    else others[name] = (others[name] ?? 0) + 1;
  }
  console.info(`${wanted}: ${right} of ${runs}${right === runs ? "" : `, else ${JSON.stringify(others)}`}`);
  return right / runs;
}
const nameOf = (outcome: SelfTestOutcome) =>
  outcome.found
    ? outcome.passed
      ? "passed"
      : outcome.complaints.map(({ kind }) => kind).join("+")
    : outcome.cause.kind;

for (const protocol of PROTOCOLS) {
  test(`${protocol}: an instrument that is well passes, one time in a hundred at most it does not`, async () => {
    expect(
      await told("passed", async (seed) => nameOf(await run(protocol, seed, () => ({}))), runsOf(protocol)),
    ).toBeGreaterThanOrEqual(0.99);
  });
  test(`${protocol}: swapped wires are told, whether the idle line is biased or driven`, async () => {
    const right = await told(
      "swapped",
      async (seed) => nameOf(await run(protocol, seed, (random) => ({ wires: swappedWires(random) }))),
      runsOf(protocol),
    );
    expect(right).toBeGreaterThanOrEqual(0.99);
  });
  test(`${protocol}: another rate is told, and which fits`, async () => {
    const right = await told(
      "wrong-baud",
      async (seed) => {
        let rate = 0;
        const outcome = await run(protocol, seed, (random, meant) => ({
          own: { baudRate: (rate = otherRate(random, meant)) },
        }));
        if (outcome.found || outcome.cause.kind !== "wrong-baud") return nameOf(outcome);
        return outcome.cause.fits === rate ? "wrong-baud" : `${outcome.cause.fits} for ${rate}`;
      },
      runsOf(protocol),
    );
    expect(right).toBeGreaterThanOrEqual(0.99);
  });
  test(`${protocol}: nothing there is silence, also where the adapter hears itself`, async () => {
    const right = await told(
      "silent",
      async (seed) =>
        nameOf(
          await run(protocol, seed, (random) => ({ behind: random.next() < 0.5 ? mute(ID) : echoing(ID) })),
        ),
      runsOf(protocol),
    );
    expect(right).toBeGreaterThanOrEqual(0.99);
  });
}

test("another parity is told, and which fits", async () => {
  const right = await told("wrong-parity", async (seed) => {
    let own: Character["parity"];
    const outcome = await run("modbus", seed, (random, { parity }) => {
      own = (["none", "even", "odd"] as const).filter((other) => other !== parity)[random.below(2)] ?? "none";
      return { own: { parity: own } };
    });
    if (outcome.found || outcome.cause.kind !== "wrong-parity") return nameOf(outcome);
    return outcome.cause.fits === own ? "wrong-parity" : `${outcome.cause.fits} for ${own}`;
  });
  expect(right).toBeGreaterThanOrEqual(0.99);
});

test("an instrument of another protocol is told, also at another rate", async () => {
  const right = await told("wrong-device", async (seed) => {
    const random = new SeededRandom(seed);
    const wanted = PROTOCOLS[random.below(4)] ?? "cobs";
    const there = PROTOCOLS.filter((other) => other !== wanted)[random.below(3)] ?? "slip";
    const name = nameOf(
      await run(wanted, seed, (own, meant, clock) => ({
        behind: made(there, clock, own),
        // One that speaks by itself is heard at any rate, but told only where it is asked for or by its own.
        own: there !== "text" && own.next() < 0.5 ? { baudRate: otherRate(own, meant) } : { parity: "none" },
      })),
    );
    return name === "wrong-device" ? name : `${name}: ${there} for ${wanted}`;
  });
  expect(right).toBeGreaterThanOrEqual(0.99);
});

test("an instrument of another name than the one that is expected is told by both", async () => {
  const clock = new DrivenClock(0, quick);
  const instrument = made("cobs", clock, new SeededRandom("name"));
  const outcome = framedSelfTest({
    links: hostedLinks([instrument]),
    clock,
    target: { kind: "serial", id: ID, baudRate: 115_200 },
    instrument: InstrumentId.parse("rheo-7"),
  });
  await clock.runUntil(10_000);
  expect(await outcome).toMatchObject({
    instrument: "rheo-7",
    cause: { kind: "wrong-device", answers: ID },
    sentence:
      "rheo-7: something else answers, port: plug in the right instrument, or correct the configuration.",
  });
});

const { noise, offset, driftPerMinute } = selfTestLimits;
test.each([
  ["noise", { noisePa: 3 * noise }],
  ["drift", { driftPaPerMinute: 2 * driftPerMinute }],
  ["drift", { driftPaPerMinute: -2 * driftPerMinute }],
  ["empty-channel", { residuePa: 3 * offset }],
  ["passed", { noisePa: 0.5 * noise }],
  ["passed", { driftPaPerMinute: 0.5 * driftPerMinute, residuePa: 0.5 * offset }],
] as const)("a sensor is told to be %s, with %j", async (wanted, sensor) => {
  const right = await told(wanted, async (seed) => nameOf(await run("cobs", seed, () => ({ sensor }))));
  expect(right).toBeGreaterThanOrEqual(0.99);
});

import { LinesConfig } from "@coalmine/instrument/lines";
import { SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { hostedLinks } from "../simulator/instruments/hosted-links.ts";
import { type LineSiteOptions, simulatedLines } from "../simulator/instruments/line-site.ts";
import { wired } from "../simulator/instruments/wiring.ts";
import { refuseUnhealthy, testInstruments } from "./wiring.ts";

const modbus = {
  kind: "modbus",
  link: { kind: "serial", id: "rs485", baudRate: 19_200 },
  framing: "rtu",
  timeoutMs: 100,
  instruments: [1, 2].map((unit) => ({
    id: `meter-${unit}`,
    unit,
    periodSeconds: 1,
    points: [
      { channel: "flow", unit: "l/min", function: 3, address: 0, type: "f32", order: "cdab" },
      // Beyond a hole: the test must not fail because of registers that nobody wants.
      { channel: "total", unit: "l", function: 3, address: 12 },
    ],
  })),
};
const text = {
  kind: "text",
  link: { kind: "tcp", host: "weather", port: 4001 },
  id: "weather-1",
  checksum: "nmea",
  sentences: [{ begins: "WIMDA", fields: [{ at: 1, channel: "count", unit: "1" }] }],
};

async function tested(lines: readonly object[], given: LineSiteOptions = {}, sends = true) {
  const site = simulatedLines(given);
  if (sends) site.text.start();
  const wiring = { baudRate: 115_200, lines: LinesConfig.parse(lines) };
  const results = testInstruments(site.links, wiring, site.clock);
  await site.clock.runUntil(site.clock.now() + 60_000);
  return results;
}

test("the slaves and the sender of every line are tested, each with a sentence, and their ports not as framed ones", async () => {
  const results = await tested([modbus, text]);
  expect(results).toEqual([
    expect.objectContaining({ port: "rs485", instrument: "meter-1", found: true, passed: true }),
    expect.objectContaining({ port: "rs485", instrument: "meter-2", found: true, passed: true }),
    expect.objectContaining({ port: "tcp weather:4001", instrument: "weather-1", found: true, passed: true }),
  ]);
  expect(results.map(({ sentence }) => sentence)).toEqual([
    expect.stringMatching(/^meter-1, unit 1: 40 of 40 requests answered, the slowest in \d+ ms\.$/),
    expect.stringMatching(/^meter-2, unit 2: 40 of 40 requests answered/),
    expect.stringMatching(/^weather-1: 3 plausible lines in \d\.\d s\.$/),
  ]);
  expect(() => refuseUnhealthy(results)).not.toThrow();
});

test("a slave with another unit, one that refuses a register and a silent sender stop it, each by name and with its remedy", async () => {
  const results = await tested(
    [modbus, text],
    { slave: { units: [1], exists: (_, address) => address !== 12 } },
    false,
  );
  expect(() => refuseUnhealthy(results)).toThrow(
    /silent-instrument: rs485: meter-1, unit 1: unit 1 refuses function 3, address 12, count 1: illegal data address \(2\).*meter-2, unit 2: nothing answers: check the instrument's power.*tcp weather:4001: weather-1: Nothing came within 10 s.*Then run this again/s,
  );
});

test("a line whose port is not there is told by its name, with the failure", async () => {
  const results = await tested([
    { ...modbus, link: { kind: "serial", id: "rs486" } },
    { ...text, link: { kind: "tcp", host: "wetter", port: 4001 } },
  ]);
  expect(results.filter(({ port }) => port === "rs486" || port.startsWith("tcp"))).toMatchObject([
    {
      instrument: "meter-1",
      cause: { kind: "no-port" },
      sentence: expect.stringMatching(
        /^meter-1: there is no such port: plug it in, or correct its name \(.*rs486/,
      ),
    },
    { instrument: "meter-2", cause: { kind: "no-port" } },
    {
      instrument: "weather-1",
      cause: { kind: "not-opened" },
      sentence: expect.stringMatching(/not reached \(.*\): check that host and port are right/),
    },
  ]);
});

test("a line whose wires are swapped, or whose rate is another, stops it with what is to be done", async () => {
  const site = simulatedLines();
  const random = new SeededRandom("wiring");
  const own = { baudRate: 19_200 } as const;
  for (const [wiring, remedy] of [
    [
      { own, random, wires: { swapped: true, idle: "mark" } },
      /the two data wires are swapped .*exchange A and B/,
    ],
    [{ own: { baudRate: 9600 }, random }, /at 9600 baud it does: set the port or the instrument/],
  ] as const) {
    const links = hostedLinks([wired(site.slave, wiring)]);
    const results = testInstruments(
      links,
      { baudRate: 115_200, lines: LinesConfig.parse([modbus]) },
      site.clock,
    );
    await site.clock.runUntil(site.clock.now() + 120_000);
    expect(await results).toHaveLength(2);
    const refused = results.then(refuseUnhealthy);
    await expect(refused).rejects.toThrow(remedy);
  }
});

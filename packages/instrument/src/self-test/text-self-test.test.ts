import { DrivenClock } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { hostedLinks } from "../../../../simulator/instruments/hosted-links.ts";
import type { LineOptions } from "../../../../simulator/instruments/memory-link.ts";
import { nmea, TextInstrument } from "../../../../simulator/instruments/text-instrument.ts";
import { LineConfig, type TextLine } from "../lines.ts";
import { textSelfTest } from "./text-self-test.ts";

const given = {
  kind: "text",
  link: { kind: "serial", id: "balance" },
  id: "balance-1",
  checksum: "nmea",
  sentences: [
    { begins: "MASS", fields: [{ at: 1, channel: "mass", unit: "g", validFrom: 0, validTo: 500 }] },
  ],
};

function lineOf(changes: object): TextLine {
  const line = LineConfig.parse({ ...given, ...changes });
  if (line.kind !== "text") throw new Error("a text line was written");
  return line;
}

async function tested(
  line: TextLine,
  behaves: {
    readonly content?: (count: number) => string;
    readonly periodMs?: number;
    readonly answer?: (question: string) => string | undefined;
    readonly mangle?: LineOptions["mangle"];
    readonly hangUpAfterMs?: number;
  },
) {
  const clock = new DrivenClock(0, () => new Promise((done) => setImmediate(done)));
  const instrument = new TextInstrument({
    id: "balance",
    clock,
    periodMs: behaves.periodMs ?? 1000,
    content: behaves.content ?? ((count) => nmea(`MASS,${100 + count}`)),
    ...(behaves.answer === undefined ? {} : { answer: behaves.answer }),
  });
  const links = hostedLinks([instrument], behaves.mangle === undefined ? {} : { mangle: behaves.mangle });
  instrument.start();
  const result = textSelfTest(await links.open(line.link), clock, line);
  if (behaves.hangUpAfterMs !== undefined) clock.timer(behaves.hangUpAfterMs, () => links.hangUp("balance"));
  await clock.runUntil(30_000);
  // It is closed: the port may be opened again.
  await (await links.open(line.link)).close();
  return result;
}

test("three plausible lines in time pass, as soon as they are there", async () => {
  const result = await tested(lineOf({}), {});
  expect(result).toMatchObject({
    found: true,
    passed: true,
    plausible: 3,
    seconds: 3,
    advice: "",
    flags: {},
  });
  expect([...result.readings]).toEqual([
    [
      "mass",
      {
        unit: "g",
        values: [
          [0, 100],
          [1 / 60, 101],
          [2 / 60, 102],
        ],
      },
    ],
  ]);
});

test("an instrument that is asked passes by its answer alone", async () => {
  const line = lineOf({
    checksum: "none",
    selfTest: { kind: "ask", send: "SN?\r\n", expects: "SN 47", withinSeconds: 2 },
  });
  const answer = (question: string) => (question === "SN?\r\n" ? "SN 4711" : undefined);
  expect(await tested(line, { periodMs: 60_000, answer })).toMatchObject({
    passed: true,
    plausible: 1,
    seconds: 0,
  });
  expect(await tested(line, { periodMs: 60_000, answer: () => "ERR 3" })).toMatchObject({
    found: true,
    passed: false,
    seconds: 2,
    advice:
      'No line began with "SN 47" within 2 s after "SN?\\r\\n" was sent; the last was "ERR 3": correct the question or what it is to bring.',
  });
  expect(await tested(line, { periodMs: 60_000 })).toMatchObject({
    found: false,
    advice: expect.stringMatching(/^Nothing came within 2 s after .* check power and cable/),
  });
});

test.each([
  [
    "nothing",
    {},
    { periodMs: 60_000 },
    false,
    /^Nothing came within 10 s: check the instrument's power and cable/,
  ],
  [
    "a delimiter that never comes",
    { delimiter: "#" },
    {},
    false,
    /^\d+ bytes came within 10 s but no whole line: check baud rate and delimiter/,
  ],
  [
    "damage",
    {},
    { mangle: (bytes: Uint8Array) => bytes.with(8, (bytes[8] ?? 0) ^ 1) },
    false,
    /^\d+ lines came, all damaged: check baud rate and parity/,
  ],
  [
    "another sentence",
    {},
    { content: () => nmea("TARE,1") },
    true,
    /but none began with "MASS"; the last was "TARE,1": correct/,
  ],
  [
    "no number",
    {},
    { content: () => nmea("MASS,---") },
    true,
    /^mass: "---" is no number, in field 1 of "MASS,---"; correct/,
  ],
  [
    "a number beyond the range",
    {},
    { content: () => nmea("MASS,700") },
    true,
    /^mass: "700" makes 700 g, which is out of range/,
  ],
  [
    "too few",
    {},
    { periodMs: 4000 },
    true,
    /^Only 2 of 3 lines came within 10 s: check the cable, or give it more time/,
  ],
  ["a hang-up", {}, { hangUpAfterMs: 1500 }, true, /^The line closed \(hang-up\): check the plug/],
] as const)("%s fails, and it is said what to do", async (_, changes, behaves, found, advice) => {
  const result = await tested(lineOf(changes), behaves);
  expect(result).toMatchObject({ found, passed: false, advice: expect.stringMatching(advice) });
  expect(result.seconds).toBeLessThanOrEqual(10);
});

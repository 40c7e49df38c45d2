import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, realpathSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SelfTestOutcome } from "@coalmine/contract";
import { serialLinks } from "@coalmine/device/serial-links";
import { SeededRandom } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Attachable } from "../../../../simulator/instruments/hosted-links.ts";
import { Instrument } from "../../../../simulator/instruments/instrument.ts";
import { MemoryLedger } from "../../../../simulator/instruments/ledger.ts";
import { ModbusSlave } from "../../../../simulator/instruments/modbus-slave.ts";
import { type Fault, planted } from "../../../../simulator/instruments/planted.ts";
import { servePty, type ServedPty } from "../../../../simulator/instruments/pty.ts";
import { Rheometer } from "../../../../simulator/instruments/rheometer.ts";
import { nmea, TextInstrument } from "../../../../simulator/instruments/text-instrument.ts";
import { wired } from "../../../../simulator/instruments/wiring.ts";
import { LineConfig } from "../lines.ts";
import { framedSelfTest } from "./framed-self-test.ts";
import { lineSelfTest } from "./line-self-test.ts";

/** The real self-test on real serial ports: a pseudo-terminal keeps the rate that it was opened with, and the line is modelled by it. */
let folder: string;
let undo: (() => void)[];
const random = new SeededRandom("real port");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "coalmine-self-test-"));
  undo = [() => rmSync(folder, { recursive: true, force: true })];
});
afterEach(() => {
  for (const what of undo.reverse()) what();
});

function serve(behind: Attachable): ServedPty {
  const port = servePty(behind, join(folder, "ports"), systemClock);
  undo.push(() => port.unplug());
  return port;
}

function serveRheometer(id: string, fault?: Fault): ServedPty {
  const source = new Rheometer({ random: random.fork(id) });
  const instrument = new Instrument({
    id,
    clock: systemClock,
    random: random.fork(`${id} itself`),
    source,
    ledger: new MemoryLedger(),
    phaseMs: 3_600_000,
  });
  instrument.start();
  undo.push(() => instrument.stop());
  return serve(planted(instrument, source, fault, { random, clock: systemClock }));
}

const links = () => serialLinks(systemClock, { folders: [join(folder, "ports")] });
const framed = (id: string) =>
  framedSelfTest({ links: links(), clock: systemClock, target: { kind: "serial", id, baudRate: 115_200 } });
const line = async (config: object): Promise<SelfTestOutcome | undefined> =>
  (await lineSelfTest(LineConfig.parse(config), { links: links(), clock: systemClock }))[0];

test("each fault of wires and sensor is told on real ports, at the same time, and an instrument that is well passes", async () => {
  serveRheometer("well");
  serveRheometer("swapped", "swapped");
  serveRheometer("driven", "swapped-driven");
  serveRheometer("slow", "baud-9600");
  serveRheometer("silent", "silent");
  serveRheometer("noisy", "noise");
  serveRheometer("drifting", "drift");
  serveRheometer("dirty", "residue");
  const slave = new ModbusSlave({ id: "meter", framing: "rtu", clock: systemClock, value: () => 21 });
  serve(wired(slave, { own: { baudRate: 19_200 }, random, wires: { swapped: true, idle: "mark" } }));
  const station = new TextInstrument({
    id: "station",
    clock: systemClock,
    periodMs: 500,
    content: (count) => nmea(`WIMDA,${count},I,21.5,C`),
  });
  station.start();
  undo.push(() => station.stop());
  serve(wired(station, { own: { baudRate: 4800 }, random }));
  const outcomes = await Promise.all([
    ...["well", "swapped", "driven", "slow", "silent", "noisy", "drifting", "dirty", "nowhere"].map(framed),
    line({
      kind: "modbus",
      link: { kind: "serial", id: "meter", baudRate: 19_200 },
      framing: "rtu",
      timeoutMs: 200,
      instruments: [
        {
          id: "meter",
          periodSeconds: 1,
          points: [{ channel: "flow", unit: "l/min", function: 3, address: 0 }],
        },
      ],
    }),
    line({
      kind: "text",
      link: { kind: "serial", id: "station", baudRate: 9600 },
      id: "station",
      checksum: "nmea",
      sentences: [{ begins: "WIMDA", fields: [{ at: 3, channel: "temperature", unit: "Cel" }] }],
      selfTest: { kind: "listen", withinSeconds: 3 },
    }),
  ]);
  expect(outcomes).toMatchObject([
    { found: true, passed: true, instrument: "well", firmware: "1.4.2", boot: 1 },
    { cause: { kind: "swapped", by: "mirrored-question" } },
    { cause: { kind: "swapped", by: "mirrored-question" } },
    { cause: { kind: "wrong-baud", baudRate: 115_200, fits: 9600 } },
    { cause: { kind: "silent", echo: false, askedMirrored: true } },
    { found: true, passed: false, complaints: [{ kind: "noise" }] },
    { found: true, passed: false, complaints: [{ kind: "drift" }] },
    { found: true, passed: false, complaints: [{ kind: "empty-channel" }] },
    { cause: { kind: "no-port" } },
    { cause: { kind: "swapped", by: "mirrored-question" } },
    { cause: { kind: "wrong-baud", baudRate: 9600, fits: 4800 } },
  ]);
}, 120_000);

test("a port that another process has, one without the right to it, and one that is pulled midway are told, with what to do", async () => {
  const held = serveRheometer("held");
  const holder = execFile("flock", ["--exclusive", realpathSync(held.path), "sleep", "60"]);
  undo.push(() => void holder.kill());
  await systemClock.sleep(500);
  expect(await framed("held")).toMatchObject({
    cause: { kind: "busy" },
    sentence: expect.stringMatching(/another process has the port open: close that, then test again/),
  });

  const pulled = serveRheometer("pulled");
  const test = framed("pulled");
  await systemClock.sleep(1000);
  pulled.unplug();
  expect(await test).toMatchObject({
    cause: { kind: "unplugged" },
    sentence: expect.stringMatching(/the port went while it was tested: check the plug/),
  });

  const closed = realpathSync(serveRheometer("closed").path);
  chmodSync(closed, 0);
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  const denied = await framed("/dev/pts/" + closed.split("/").at(-1)).finally(
    () => isRoot && process.seteuid?.(0),
  );
  expect(denied).toMatchObject({ cause: { kind: "denied" } });
  expect(denied.sentence).toMatch(/no right to open the port: .*in the port's group, [a-z]+ /);
  expect(statSync(closed).isCharacterDevice()).toBe(true);
}, 60_000);

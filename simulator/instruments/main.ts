import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { SeededRandom } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import * as z from "zod";
import { Instrument } from "./instrument.ts";
import { lineInstrument, LineInstruments } from "./line-instruments.ts";
import { Faults, planted } from "./planted.ts";
import { servePty } from "./pty.ts";
import { pullCables } from "./pulled-cables.ts";
import { recordedFibrinogen } from "./recordings.ts";
import { Rheometer } from "./rheometer.ts";

/**
 * Serves simulated instruments on pseudo-terminals; prints one line of JSON when they can be opened. On SIGTERM the rheometers
 * measure no more, and it ends when a host has acknowledged all of it: a ring in memory does not outlive its process.
 */

const DONE_MS_MAX = 30_000;
const DONE_LOOK_MS = 20;

const Arguments = z.object({
  /** Where the terminals appear, one link an instrument. */
  folder: z.string().min(1),
  instruments: z.string().transform((ids) => ids.split(",").filter((id) => id !== "")),
  /** Instruments of other kinds, which speak lines of text or Modbus. */
  lines: LineInstruments.default(() => new Map()),
  seed: z.string().default("1"),
  "period-seconds": z.coerce.number().positive().default(300),
  "control-every": z.coerce.number().int().nonnegative().optional(),
  "point-interval-ms": z.coerce.number().nonnegative().default(500),
  "ring-readings": z.coerce.number().int().positive().default(4096),
  /** One JSON line a reading, written before the reading is sent. */
  ledger: z.string().optional(),
  /** As long as a file with an instrument's name is in this folder, its cable is pulled. */
  unplugged: z.string().optional(),
  /** What is wrong with which of them. */
  faults: Faults.default(() => new Map()),
});
const text = { type: "string" } as const;
const { values } = parseArgs({
  options: {
    folder: text,
    instruments: { type: "string", default: "" },
    lines: text,
    seed: text,
    "period-seconds": text,
    "control-every": text,
    "point-interval-ms": text,
    "ring-readings": text,
    ledger: text,
    unplugged: text,
    faults: text,
  },
});
const parsed = Arguments.safeParse(values);
if (!parsed.success || parsed.data.instruments.length + parsed.data.lines.size === 0) {
  process.stderr.write(
    `Usage: main.ts --folder DIR --instruments ID,… [--lines ID=bridge|flow-meter|pulse|gait,…] [--seed S] [--period-seconds P] [--control-every N] [--point-interval-ms MS] [--ring-readings N] [--ledger FILE] [--unplugged DIR] [--faults ID=FAULT,…]\n${parsed.success ? "Name at least one instrument." : z.prettifyError(parsed.error)}\n`,
  );
  process.exit(2);
}
const options = parsed.data;
const periodMs = 1000 * options["period-seconds"];
const ledgerPath = options.ledger ?? `${options.folder}.ledger.jsonl`;
const bootsPath = `${options.folder}.boots.json`;

mkdirSync(dirname(ledgerPath), { recursive: true });
const ledger = openSync(ledgerPath, "a");
// What an instrument has in its own persistent memory: how often it started.
const boots = z
  .record(z.string(), z.int().nonnegative())
  .parse(existsSync(bootsPath) ? JSON.parse(readFileSync(bootsPath, "utf8")) : {});
const random = new SeededRandom(options.seed);
const fibrinogen = recordedFibrinogen();

const made = options.instruments.map((id, index) => {
  const own = random.fork(id);
  const source = new Rheometer({ random: own.fork("rheometer"), fibrinogen });
  const instrument = new Instrument({
    id,
    clock: systemClock,
    random: own,
    source,
    ledger: { measured: (entry) => void writeSync(ledger, `${JSON.stringify(entry)}\n`) },
    periodMs,
    // Spread, so that several on one machine do not measure at once.
    phaseMs: (periodMs * index) / options.instruments.length,
    // One an hour, as at the reference load.
    controlEvery: options["control-every"] ?? Math.max(1, Math.round(3_600_000 / periodMs)),
    pointIntervalMs: options["point-interval-ms"],
    ringReadings: options["ring-readings"],
    bootsBefore: boots[id] ?? 0,
  });
  const line = { random: own.fork("line"), clock: systemClock };
  return { instrument, behind: planted(instrument, source, options.faults.get(id), line) };
});
const instruments = made.map(({ instrument }) => instrument);
const lineInstruments = [...options.lines].map(([id, kind]) =>
  lineInstrument(kind, { id, clock: systemClock, random: random.fork(id) }),
);
const served = [...made.map(({ behind }) => behind), ...lineInstruments].map((behind) => ({
  id: behind.id,
  ...servePty(behind, options.folder, systemClock),
}));
if (options.unplugged !== undefined) pullCables(options.unplugged, served);
for (const instrument of lineInstruments) instrument.start();
for (const instrument of instruments) {
  instrument.start();
  boots[instrument.id] = instrument.boot;
}
writeFileSync(bootsPath, JSON.stringify(boots));
process.stdout.write(
  `${JSON.stringify({ ready: true, ledger: ledgerPath, ports: served.map((port) => port.path) })}\n`,
);

const end = (code: number): never => {
  for (const instrument of [...instruments, ...lineInstruments]) instrument.stop();
  for (const port of served) port.unplug();
  closeSync(ledger);
  process.exit(code);
};
process.once("SIGTERM", async () => {
  for (const instrument of instruments) instrument.rest();
  const deadline = systemClock.monotonicMs() + DONE_MS_MAX;
  while (instruments.some((instrument) => !instrument.isDone)) {
    if (systemClock.monotonicMs() > deadline) {
      const kept = instruments.map(({ id, unacknowledged }) => `${id} ${unacknowledged}`).join(", ");
      process.stderr.write(`after ${DONE_MS_MAX / 1000} s readings are still not acknowledged: ${kept}\n`);
      end(1);
    }
    await systemClock.sleep(DONE_LOOK_MS);
  }
  end(0);
});
process.once("SIGINT", () => end(0));

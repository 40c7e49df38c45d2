import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { Acknowledgement, MeasurementBatch, topics, type Measurement } from "@coalmine/contract";
import { serialLinks } from "@coalmine/device/serial-links";
import { selfTest } from "@coalmine/instrument";
import { MemoryIpc, SeededRandom, silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterAll, afterEach, expect, test } from "vitest";
import { Instrument } from "../../../simulator/instruments/instrument.ts";
import { MemoryLedger, type LedgerEntry } from "../../../simulator/instruments/ledger.ts";
import { servePty } from "../../../simulator/instruments/pty.ts";
import { Rheometer } from "../../../simulator/instruments/rheometer.ts";
import { compare } from "../test/world.ts";
import { start } from "./component.ts";

const cleaning: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const clean of cleaning.splice(0).reverse()) await clean();
});
// The serial binding frees its pollers some turns after a hang-up; a worker that ends before that ends by a fault in it.
afterAll(() => systemClock.sleep(500));

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "coalmine-pty-"));
  cleaning.push(() => rmSync(made, { recursive: true, force: true }));
  return join(made, "ports");
}

/** The reader with real serial ports, and an uploader that takes all at once. */
async function startReader(ports: string) {
  const ipc = new MemoryIpc({ batchSeconds: 0.2, republishSeconds: 0.5 });
  const durable = new Map<string, Measurement>();
  const arrivedAtMs: number[] = [];
  await ipc.subscribe(topics.measurements, (_topic, message) => {
    const { batch, points } = MeasurementBatch.parse("json" in message ? message.json : undefined);
    arrivedAtMs.push(performance.now());
    for (const point of points)
      durable.set(`${point.instrument}:${point.boot}:${point.sequence}:${point.channel}`, point);
    const json: Acknowledgement = { version: 1, durable: [batch], refused: [] };
    void ipc.publish(topics.acknowledgements, { json });
  });
  const running = await start({
    clock: systemClock,
    random: new SeededRandom("pty"),
    ipc,
    links: serialLinks(systemClock, { folders: [ports] }),
    log: silentLog,
    process: {
      componentName: "coalmine.SensorReader",
      componentVersion: "1.0.0",
      thingName: "thing",
      region: "eu-central-1",
      environment: () => undefined,
      memoryBytes: () => 0,
      fail: () => undefined,
    },
  });
  cleaning.push(() => running.stop(new AbortController().signal));
  return { durable, arrivedAtMs };
}

async function until(holds: () => boolean, patienceMs: number): Promise<boolean> {
  for (const started = performance.now(); performance.now() - started < patienceMs;) {
    if (holds()) return true;
    await systemClock.sleep(10);
  }
  return holds();
}

function instrumentOn(ports: string, ledger: MemoryLedger) {
  const random = new SeededRandom("pty");
  const instrument = new Instrument({
    id: "rheo-pty",
    clock: systemClock,
    random,
    source: new Rheometer({ random: random.fork("rheometer") }),
    ledger,
    periodMs: 250,
    pointIntervalMs: 5,
  });
  const port = servePty(instrument, ports, systemClock);
  instrument.start();
  cleaning.push(() => {
    instrument.stop();
    port.unplug();
  });
  return { instrument, port };
}

test("over a real serial line that is pulled again and again every reading arrives, and reading goes on within half a second", async () => {
  const ports = folder();
  const ledger = new MemoryLedger();
  const { instrument, port } = instrumentOn(ports, ledger);
  const { durable, arrivedAtMs } = await startReader(ports);
  expect(await until(() => durable.size > 500, 5000)).toBe(true);
  const backMs: number[] = [];
  for (let round = 0; round < 8; round++) {
    port.unplug();
    await systemClock.sleep(50 + 30 * round);
    port.plug();
    const pluggedMs = performance.now();
    const before = arrivedAtMs.length;
    expect(await until(() => arrivedAtMs.length > before, 5000)).toBe(true);
    backMs.push((arrivedAtMs[before] ?? Infinity) - pluggedMs);
  }
  instrument.rest();
  expect(await until(() => instrument.unacknowledged === 0, 5000)).toBe(true);
  expect(compare(ledger, durable)).toEqual({ lost: [], invented: [] });
  backMs.sort((a, b) => a - b);
  console.info(
    `back after plugging in: median ${backMs[4]?.toFixed(0)} ms, worst ${backMs.at(-1)?.toFixed(0)} ms`,
  );
  // The batch itself may take its 200 ms after the first reading, and a curve comes every 250.
  expect(backMs[4]).toBeLessThan(500);
}, 30_000);

test("the self-test works over a real serial line", async () => {
  const ports = folder();
  const { instrument } = instrumentOn(ports, new MemoryLedger());
  const link = await serialLinks(systemClock, { folders: [ports] }).open({
    kind: "serial",
    id: instrument.id,
    baudRate: 115_200,
  });
  expect(await selfTest(link, systemClock)).toMatchObject({
    found: true,
    instrument: "rheo-pty",
    readings: 20,
    passed: true,
  });
}, 30_000);

test("instruments served by a process of their own are read, also after that process was started again", async () => {
  const ports = folder();
  const ledgerPath = `${ports}.ledger.jsonl`;
  const serve = async () => {
    const child = spawn(
      process.execPath,
      [
        join(import.meta.dirname, "../../../simulator/instruments/main.ts"),
        "--folder",
        ports,
        "--instruments",
        "rheo-a,rheo-b",
        "--seed",
        "7",
        "--period-seconds",
        "0.4",
        "--point-interval-ms",
        "5",
        "--control-every",
        "4",
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    cleaning.push(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
      // The reader hears of the hang-up before it is stopped: both at once is what the serial binding does not survive.
      await systemClock.sleep(300);
    });
    const [line]: unknown[] = await once(child.stdout, "data");
    expect(JSON.parse(String(line))).toMatchObject({
      ready: true,
      ports: [join(ports, "rheo-a"), join(ports, "rheo-b")],
    });
    return child;
  };
  const readLedger = () => ({
    entries: readFileSync(ledgerPath, "utf8")
      .trimEnd()
      .split("\n")
      .map((line): LedgerEntry => JSON.parse(line)),
  });
  const first = await serve();
  const { durable } = await startReader(ports);
  const caughtUp = () => until(() => compare(readLedger(), durable).lost.length === 0, 5000);
  expect(await until(() => durable.size > 600, 5000)).toBe(true);
  // Between two curves all has arrived; then the process ends as asked.
  expect(await caughtUp()).toBe(true);
  first.kill("SIGTERM");
  expect(await once(first, "exit")).toEqual([0, null]);
  const kept = durable.size;
  await serve();
  expect(await until(() => durable.size > kept + 600, 8000)).toBe(true);
  const boots = new Set([...durable.values()].map((point) => `${point.instrument} ${point.boot}`));
  expect([...boots].sort()).toEqual(["rheo-a 1", "rheo-a 2", "rheo-b 1", "rheo-b 2"]);
  expect(compare(readLedger(), durable).invented).toEqual([]);
  expect(await until(() => compare(readLedger(), durable).lost.length <= 40, 5000)).toBe(true);
  // A process on the same clock: its own time of sampling is the truth.
  const truth = new Map(
    readLedger().entries.map((entry) => [
      `${entry.instrument}:${entry.boot}:${entry.sequence}`,
      entry.sampledMs,
    ]),
  );
  const errors = [...durable.values()]
    .map((point) => {
      const key = `${point.instrument}:${point.boot}:${point.sequence}`;
      return Math.abs(point.sampleTimeMs - (truth.get(key) ?? 0));
    })
    .sort((a, b) => a - b);
  console.info(
    `sample time error over a pseudo-terminal: p50 ${errors[errors.length >> 1]?.toFixed(2)} ms, p99 ${errors[Math.floor(0.99 * errors.length)]?.toFixed(2)} ms`,
  );
  expect(errors[errors.length >> 1]).toBeLessThan(20);
}, 30_000);

import { SeededRandom } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterEach, expect, test } from "vitest";
import { Instrument } from "../../../simulator/instruments/instrument.ts";
import { MemoryLedger } from "../../../simulator/instruments/ledger.ts";
import { servePty } from "../../../simulator/instruments/pty.ts";
import { Rheometer } from "../../../simulator/instruments/rheometer.ts";
import { serialReader, until } from "../test/serial-reader.ts";
import { compare } from "../test/world.ts";

const { clean, cleanLater, folder, startReader } = serialReader();
afterEach(clean);

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
  cleanLater(() => {
    instrument.stop();
    port.unplug();
  });
  return { instrument, port };
}

test("over a real serial line that is pulled again and again every reading arrives, and reading goes on soon", async () => {
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
  // What it takes is measured by `npm run bench -- serial`; here a machine that has too much to do may be slow.
  expect(backMs[4]).toBeLessThan(2000);
}, 30_000);

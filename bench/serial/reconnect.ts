import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeCrypto } from "@coalmine/device/crypto";
import { serialLinks } from "@coalmine/device/serial-links";
import { memoryFiles } from "@coalmine/durable-log";
import { MemoryIpc, SeededRandom, silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { start } from "../../components/sensor-reader/src/component.ts";
import { timed } from "../../components/sensor-reader/test/serial-reader.ts";
import { onNoDevice } from "../../components/sensor-reader/test/world.ts";
import { Instrument } from "../../simulator/instruments/instrument.ts";
import { MemoryLedger } from "../../simulator/instruments/ledger.ts";
import { servePty } from "../../simulator/instruments/pty.ts";
import { Rheometer } from "../../simulator/instruments/rheometer.ts";
import { atMost, median, type Metrics } from "../measure.ts";

const ROUNDS = 30;

/** From a port that is there again, under its name and another terminal, to the whole component having it open. */
export async function reconnects(): Promise<Metrics> {
  const folder = await mkdtemp(join(tmpdir(), "bench-serial-"));
  const random = new SeededRandom("bench");
  const source = new Rheometer({ random: random.fork("rheometer") });
  const ledger = new MemoryLedger();
  const instrument = new Instrument({ id: "rheo-bench", clock: systemClock, random, source, ledger });
  const port = servePty(instrument, join(folder, "ports"), systemClock);
  instrument.start();
  const links = serialLinks(systemClock, { folders: [join(folder, "ports")] });
  const openedAtMs: number[] = [];
  const running = await start({
    clock: systemClock,
    random,
    ipc: new MemoryIpc(),
    links: timed(links, openedAtMs),
    log: silentLog,
    files: memoryFiles(),
    crypto: nodeCrypto,
    process: onNoDevice,
  });
  const backMs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await systemClock.sleep(200 + 300 * random.next());
    port.unplug();
    await systemClock.sleep(50 + 500 * random.next());
    const before = openedAtMs.length;
    port.plug();
    const pluggedMs = performance.now();
    while (openedAtMs.length === before && performance.now() - pluggedMs < 30_000) await systemClock.sleep(1);
    backMs.push((openedAtMs[before] ?? Infinity) - pluggedMs);
  }
  await running.stop(new AbortController().signal);
  instrument.stop();
  port.unplug();
  await rm(folder, { recursive: true });
  return {
    reconnectP50Ms: { value: median(backMs), unit: "ms" },
    reconnectMaxMs: atMost(Math.max(...backMs), "ms", 500),
  };
}

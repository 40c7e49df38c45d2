import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Acknowledgement, MeasurementBatch, topics, type Measurement } from "@coalmine/contract";
import { nodeCrypto } from "@coalmine/device/crypto";
import { memoryFiles } from "@coalmine/durable-log";
import { serialLinks } from "@coalmine/device/serial-links";
import type { JsonObject, Links } from "@coalmine/ports";
import { MemoryIpc, SeededRandom, silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { start } from "../src/component.ts";
import { onNoDevice } from "./world.ts";

export async function until(holds: () => boolean, patienceMs: number): Promise<boolean> {
  for (const started = performance.now(); performance.now() - started < patienceMs;) {
    if (holds()) return true;
    await systemClock.sleep(10);
  }
  return holds();
}

/** Says when each link was opened. */
export function timed(links: Links, openedAtMs: number[]): Links {
  return {
    ...links,
    open: async (target) => {
      const link = await links.open(target);
      openedAtMs.push(performance.now());
      return link;
    },
  };
}

/** Readers with real serial ports for one test file; `clean` undoes what a test did, last first. */
export function serialReader() {
  const cleaning: (() => void | Promise<void>)[] = [];
  const cleanLater = (what: () => void | Promise<void>) => void cleaning.push(what);

  return {
    cleanLater,
    clean: async (): Promise<void> => {
      for (const what of cleaning.splice(0).reverse()) await what();
    },
    folder: (): string => {
      const made = mkdtempSync(join(tmpdir(), "coalmine-pty-"));
      cleanLater(() => rmSync(made, { recursive: true, force: true }));
      return join(made, "ports");
    },
    /** The reader, and an uploader that takes all at once. */
    startReader: async (ports: string, configuration: JsonObject = {}) => {
      const ipc = new MemoryIpc({ batchSeconds: 0.2, republishSeconds: 0.5, ...configuration });
      const durable = new Map<string, Measurement>();
      const arrivedAtMs: number[] = [];
      const openedAtMs: number[] = [];
      const links = serialLinks(systemClock, { folders: [ports] });
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
        links: timed(links, openedAtMs),
        log: silentLog,
        files: memoryFiles(),
        crypto: nodeCrypto,
        process: onNoDevice,
      });
      cleanLater(() => running.stop(new AbortController().signal));
      return { durable, arrivedAtMs, openedAtMs };
    },
  };
}

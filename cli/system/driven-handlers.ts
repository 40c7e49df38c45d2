import { Worker } from "node:worker_threads";
import { invariant, silentLog } from "@coalmine/runtime";
import * as z from "zod";
import type { EvidenceItem } from "../../pipeline/evidence/evidence-store.ts";
import type { Cloud } from "../../simulator/cloud/cloud.ts";
import type { LocalIot } from "../../simulator/cloud/iot-parts.ts";
import type { MessageHandler } from "../../simulator/fleet/driven/region.ts";
import { DRIVEN } from "./driven-region.ts";
import type { Heard } from "./evidence-thread.ts";
import { putItem, recordWitnessed } from "./record-evidence.ts";

/** Messages that go to the thread at once: a minute of the fleet. */
const BATCH_MAX = 50;
/** Batches on their way to the thread and back; the fleet takes many times as long to make one. */
const BATCHES_MAX = 1000;
/** Text of a row is checked where it is read. */
const Items = z.custom<EvidenceItem[]>((value) => Array.isArray(value));

/**
 * What becomes of the messages of a driven region's devices; its program loads this by `--handlers`. Rows are made of
 * them in a thread, beside the fleet, as on AWS they are made in Lambda, beside the devices.
 */
export function handlers(cloud: Cloud<LocalIot>): MessageHandler {
  const thread = new Worker(new URL("./evidence-thread.ts", import.meta.url), {
    workerData: DRIVEN.name,
    // Its program's own flags are for a whole fleet.
    resourceLimits: { maxYoungGenerationSizeMb: 32 },
  });
  // The region's end is its end too; a failure of it is the region's.
  thread.unref();
  recordWitnessed(cloud, DRIVEN.name, silentLog);
  let batch: Heard[] = [];
  const asked: ((items: EvidenceItem[]) => void)[] = [];
  thread.on("message", (message) => asked.shift()?.(Items.parse(message)));
  let last: Promise<void> = Promise.resolve();

  const flush = (): void => {
    if (batch.length === 0) return;
    invariant(asked.length < BATCHES_MAX, `${BATCHES_MAX} batches of messages wait for their rows`);
    const items = new Promise<EvidenceItem[]>((answer) => asked.push(answer));
    thread.postMessage(batch, []);
    batch = [];
    last = Promise.all([items, last]).then(async ([made]) => {
      // Before the table is made there is nobody yet who would judge by its rows.
      for (const item of made) await putItem(cloud, item).catch(() => undefined);
    });
  };
  return {
    hear: (topic, payload, at) => {
      // A copy: what it is a part of would go along.
      batch.push({ topic, payload: new Uint8Array(payload), at });
      if (batch.length >= BATCH_MAX) flush();
    },
    settled: async () => {
      flush();
      await last;
    },
  };
}

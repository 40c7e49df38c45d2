import { Worker } from "node:worker_threads";
import { invariant, silentLog } from "@coalmine/runtime";
import * as z from "zod";
import type { Cloud } from "../../simulator/cloud/cloud.ts";
import type { LocalIot } from "../../simulator/cloud/iot-parts.ts";
import type { MessageHandler } from "../../simulator/fleet/driven/region.ts";
import { DRIVEN } from "./driven-region.ts";
import type { Heard, Made } from "./evidence-thread.ts";
import { buckets, HOME } from "./home-region.ts";
import { putItem, recordWitnessed } from "./record-evidence.ts";
import { setUpEvidenceLake } from "./set-up-lake.ts";

/** Messages that go to the thread at once: a minute of the fleet. */
const BATCH_MAX = 50;
/** Batches on their way to the thread and back; the fleet takes many times as long to make one. */
const BATCHES_MAX = 1000;
/** Text of a row is checked where it is read. */
const MadeOf = z.custom<Made>((value) => typeof value === "object" && value !== null && "items" in value);

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
  const isReady = setUpEvidenceLake(
    (service, operation, input) => cloud.invoke(service, operation, input),
    { region: DRIVEN.region, accountId: HOME.accountId, partition: "aws" },
    buckets(DRIVEN.region).lake,
  );
  recordWitnessed(cloud, DRIVEN.name, silentLog, isReady);
  let batch: Heard[] = [];
  const asked: ((made: Made) => void)[] = [];
  thread.on("message", (message) => asked.shift()?.(MadeOf.parse(message)));
  let last = isReady;

  const flush = (): void => {
    if (batch.length === 0) return;
    invariant(asked.length < BATCHES_MAX, `${BATCHES_MAX} batches of messages wait for their rows`);
    const made = new Promise<Made>((answer) => asked.push(answer));
    thread.postMessage(batch, []);
    batch = [];
    last = Promise.all([made, last]).then(async ([{ items, record }]) => {
      // Before the table is made there is nobody yet who would judge by its rows.
      for (const item of items) await putItem(cloud, item).catch(() => undefined);
      if (items.length > 0) await cloud.invoke("firehose", "PutRecord", record);
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

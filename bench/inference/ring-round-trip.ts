import { Worker } from "node:worker_threads";
import { ModelRing } from "../../packages/device/src/model-ring.ts";
import { median } from "../measure.ts";

const TRIPS = 1500;
const NAMES = ["input"];

/**
 * To a thread and back through the memory that a model worker shares, one after the other, without a model: what is left
 * of it when the thread's own work of `busyUs` is taken off; µs, median. Two threads of this machine cannot wake each other
 * sooner, so no run of that length in a thread of its own adds less.
 */
export async function ringRoundTrip(width: number, busyUs = 0): Promise<number> {
  const ring = new ModelRing();
  const thread = new Worker(new URL("./ring-thread.ts", import.meta.url), {
    workerData: { memory: ring.memory, busyMs: busyUs / 1000 },
  });
  const ended = new Promise((resolve) => thread.once("exit", resolve));
  const feeds = { input: { type: "float32", data: new Float32Array(width), shape: [1, width] } } as const;
  const times: number[] = [];
  for (let trip = 0; trip < TRIPS; trip++) {
    const startedMs = performance.now();
    ring.ask(NAMES, feeds);
    while (ring.answered <= trip) await ring.moreAnswered(trip);
    times.push(performance.now() - startedMs);
  }
  ring.end();
  await ended;
  return 1000 * median(times) - busyUs;
}

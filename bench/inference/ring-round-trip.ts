import { Worker } from "node:worker_threads";
import { ModelRing } from "../../packages/device/src/model-ring.ts";
import { median } from "../measure.ts";

const TRIPS = 1500;
const NAMES = ["input"];

/**
 * To a thread and back through the memory that a model worker shares, one after the other, without a model: µs, median.
 * Two threads of this machine cannot wake each other sooner, so no run in a thread of its own adds less.
 */
export async function ringRoundTrip(width: number): Promise<number> {
  const ring = new ModelRing();
  const thread = new Worker(new URL("./ring-thread.ts", import.meta.url), { workerData: ring.memory });
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
  return 1000 * median(times);
}

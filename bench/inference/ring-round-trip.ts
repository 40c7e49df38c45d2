import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { ModelRing } from "../../packages/device/src/model-ring.ts";
import { median } from "../measure.ts";

const TRIPS = 1500;
const NAMES = ["input"];

/** What the thread does for each run: so much of nothing, or a bare run of the model. */
export type Work = { readonly busyMs: number } | "model";

/** A thread of its own behind the memory that a model worker shares, and nothing else of the component. */
export class RingThread {
  readonly #ring = new ModelRing();
  readonly #ended: Promise<unknown>;
  readonly #feeds;

  constructor(width: number, work: Work) {
    const thread = new Worker(new URL("./ring-thread.ts", import.meta.url), {
      workerData: { memory: this.#ring.memory, work },
    });
    this.#ended = new Promise((resolve) => thread.once("exit", resolve));
    this.#feeds = { input: { type: "float32", data: new Float32Array(width), shape: [1, width] } } as const;
  }

  /** To the thread and back, in ms. */
  async trip(): Promise<number> {
    const startedMs = performance.now();
    const before = this.#ring.answered;
    this.#ring.ask(NAMES, this.#feeds);
    while (this.#ring.answered === before) await this.#ring.moreAnswered(before);
    return performance.now() - startedMs;
  }

  async end(): Promise<void> {
    this.#ring.end();
    await this.#ended;
  }
}

/**
 * There and back, one after the other; µs, median. Two threads of this machine cannot wake each other sooner, so no run in
 * a thread of its own takes less.
 */
export async function ringRoundTrip(width: number, work: Work): Promise<number> {
  const thread = new RingThread(width, work);
  const times: number[] = [];
  for (let trip = 0; trip < TRIPS; trip++) times.push(await thread.trip());
  await thread.end();
  return 1000 * median(times);
}

/** As instruments send: trips apart. 99th percentile in µs; `beside` is a thread that is given the same run each time. */
export async function spacedP99(thread: RingThread, count: number, beside?: RingThread): Promise<number> {
  const times: number[] = [];
  for (let trip = 0; trip < count; trip++) {
    times.push(await thread.trip());
    const other = beside?.trip();
    await sleep(2);
    await other;
  }
  const sorted = times.toSorted((a, b) => a - b);
  return 1000 * (sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN);
}

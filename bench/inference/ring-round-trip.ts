import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { ModelRing } from "../../packages/device/src/model-ring.ts";
import { median } from "../measure.ts";

const TRIPS = 1500;
const NAMES = ["input"];

/** What the thread does for each run: so much of nothing, or a bare run of the model. */
type Work = { readonly busyMs: number } | "model";

/** A thread of its own behind the memory that a model worker shares, and nothing else of the component. */
class RingThread {
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

/**
 * As instruments send: windows come apart, to each candidate in turn and back, so that what disturbs the machine, and how
 * awake the window before has left it, is the same for all of them. Each candidate's 99th percentile in µs.
 */
export async function spacedP99s(
  trips: readonly (() => Promise<number>)[],
  count: number,
): Promise<number[]> {
  const times = trips.map((): number[] => []);
  for (let trip = 0; trip < count; trip++)
    for (const [index, take] of trip % 2 === 0 ? [...trips.entries()] : [...trips.entries()].reverse()) {
      times[index]?.push(await take());
      await sleep(2);
    }
  return times.map((of) => 1000 * (of.toSorted((a, b) => a - b)[Math.floor(count * 0.99)] ?? Number.NaN));
}

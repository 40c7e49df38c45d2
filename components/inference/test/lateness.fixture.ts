import { Worker } from "node:worker_threads";

/** Buckets of a tenth of a millisecond, the last of them for a second and more. */
const BUCKETS = 10_000;

/** How late timers came: counts by tenths of a millisecond. */
export class Lateness {
  readonly #counts: Uint32Array;

  constructor(counts = new Uint32Array(BUCKETS)) {
    this.#counts = counts;
  }

  add(lateMs: number): void {
    const bucket = Math.min(BUCKETS - 1, Math.max(0, Math.floor(lateMs * 10)));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  quantileMs(share: number): number {
    let left = share * this.#counts.reduce((sum, count) => sum + count, 0);
    return this.#counts.findIndex((count) => (left -= count) <= 0) / 10;
  }
}

/** Timers of 1 ms in a thread that does nothing else: how late they come is what the machine alone does. */
export function idleThread(): { stop(): Promise<Lateness> } {
  const worker = new Worker(
    `const { parentPort } = require("node:worker_threads");
     let last = performance.now(); const counts = new Uint32Array(${BUCKETS});
     const timer = setInterval(() => {
       const now = performance.now();
       counts[Math.min(${BUCKETS - 1}, Math.max(0, Math.floor((now - last - 1) * 10)))]++;
       last = now;
     }, 1);
     parentPort.once("message", () => { clearInterval(timer); parentPort.postMessage(counts); parentPort.close(); });`,
    { eval: true },
  );
  return {
    stop: () =>
      new Promise((resolve) => {
        worker.once("message", (counts: Uint32Array<ArrayBuffer>) => resolve(new Lateness(counts)));
        worker.postMessage("stop", []);
      }),
  };
}

import { type engine, windowOf } from "./engine.fixture.ts";
import { Lateness } from "./lateness.fixture.ts";

type Device = Pick<Awaited<ReturnType<typeof engine>>, "inference" | "results">;

/** Windows at a steady rate, and whether each has its one result, in order; nothing is kept of a result. */
export class Load {
  /** How late the timers of the thread that feeds, and hears the results, came. */
  readonly lateness = new Lateness();
  windows = 0;
  results = 0;
  /** Results that were not the next one's. */
  astray = 0;
  /** The models that served, in turn. */
  readonly models: string[] = [];
  /** The longest time without a result. */
  gapMsMax = 0;
  readonly #timer: NodeJS.Timeout;

  constructor({ inference, results }: Device, windowsPerSecond: number) {
    const startedMs = performance.now();
    let heardMs = startedMs;
    results(([point]) => {
      if (point?.sequence !== windowOf(this.results).to) this.astray++;
      this.results++;
      this.gapMsMax = Math.max(this.gapMsMax, performance.now() - heardMs);
      heardMs = performance.now();
      const sha256 = point?.derivation?.modelSha256 ?? "";
      if (this.models.at(-1) !== sha256) this.models.push(sha256);
    });
    let tickedMs = startedMs;
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      this.lateness.add(nowMs - tickedMs - 1);
      tickedMs = nowMs;
      while (this.windows < ((nowMs - startedMs) * windowsPerSecond) / 1000)
        inference.takeWindow(windowOf(this.windows++));
    }, 1);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

import type { Clock } from "@coalmine/ports";

/** A shorter wait may not move a clock of doubles at all, and whoever waits for an instant would wait for ever. */
const WAIT_MS_MIN = 0.01;

/** What one task waits for, one thing at a time and never for longer than it said. */
export class Waiting {
  readonly #clock: Pick<Clock, "timer">;
  #enough: () => boolean = () => false;
  #finish: (() => void) | undefined;

  constructor(clock: Pick<Clock, "timer">) {
    this.#clock = clock;
  }

  /** Until `enough`, which is asked now and at each `look`, or `wake`, or so long. */
  until(enough: () => boolean, patienceMs: number): Promise<void> {
    if (enough()) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = () => {
        timer.cancel();
        this.#finish = undefined;
        resolve();
      };
      const timer = this.#clock.timer(Math.max(WAIT_MS_MIN, patienceMs), finish);
      this.#enough = enough;
      this.#finish = finish;
    });
  }
  atMost(durationMs: number): Promise<void> {
    return this.until(() => false, durationMs);
  }

  /** Something happened that may be enough. */
  look(): void {
    if (this.#finish !== undefined && this.#enough()) this.#finish();
  }
  /** It is enough. */
  wake(): void {
    this.#finish?.();
  }
}

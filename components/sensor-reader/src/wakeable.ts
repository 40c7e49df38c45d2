import type { Clock } from "@coalmine/ports";

/** A shorter wait may not move a clock of doubles at all, and whoever waits for an instant would wait for ever. */
const WAIT_MS_MIN = 0.01;

/** A wait that others can end early. */
export class Wakeable {
  readonly #clock: Clock;
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  atMost(durationMs: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = () => {
        timer.cancel();
        this.#wake = undefined;
        resolve();
      };
      const timer = this.#clock.timer(Math.max(WAIT_MS_MIN, durationMs), finish);
      this.#wake = finish;
    });
  }

  wake(): void {
    this.#wake?.();
  }
}

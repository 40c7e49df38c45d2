import type { Clock } from "@coalmine/ports";

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
      const timer = this.#clock.timer(durationMs, finish);
      this.#wake = finish;
    });
  }

  wake(): void {
    this.#wake?.();
  }
}

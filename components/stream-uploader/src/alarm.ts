import type { Clock } from "@coalmine/ports";

/** A wait that somebody can end early. One waiter at a time. */
export class Alarm {
  readonly #clock: Pick<Clock, "timer">;
  #wake: (() => void) | undefined;
  #wasRung = false;

  constructor(clock: Pick<Clock, "timer">) {
    this.#clock = clock;
  }

  /** Ends the present wait, or the next one before it begins. */
  ring(): void {
    this.#wasRung = true;
    this.#wake?.();
  }

  /** Resolves after `durationMs`, or when rung; without a duration only when rung. */
  wait(durationMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer =
        durationMs === undefined ? undefined : this.#clock.timer(durationMs, () => this.#wake?.());
      this.#wake = () => {
        this.#wake = undefined;
        this.#wasRung = false;
        timer?.cancel();
        resolve();
      };
      if (this.#wasRung) this.#wake();
    });
  }
}

import type { Clock } from "@coalmine/ports";

/** Waiting that can be cut short. A wake while nobody waits shortens the next wait. */
export class Wake {
  #isAwake = false;
  #waiting: (() => void) | undefined;

  wake(): void {
    this.#isAwake = true;
    this.#waiting?.();
  }

  /** Resolves after `durationMs`, when woken, or when `signal` aborts. */
  async wait(durationMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
    if (!this.#isAwake && !signal.aborted)
      await new Promise<void>((resolve) => {
        const done = (): void => {
          timer.cancel();
          signal.removeEventListener("abort", done);
          resolve();
        };
        const timer = clock.timer(durationMs, done);
        signal.addEventListener("abort", done, { once: true });
        this.#waiting = done;
      });
    this.#waiting = undefined;
    this.#isAwake = false;
  }
}

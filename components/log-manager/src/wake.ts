import type { Clock } from "@coalmine/ports";

/** Waiting that can be cut short. A wake while nobody waits shortens the next wait. */
export class Wake {
  #isAwake = false;
  #waiting: (() => void) | undefined;

  wake(): void {
    this.#isAwake = true;
    this.#waiting?.();
  }

  /** Resolves after `durationMs`, or when woken. */
  async wait(durationMs: number, clock: Clock): Promise<void> {
    if (!this.#isAwake)
      await new Promise<void>((resolve) => {
        const timer = clock.timer(durationMs, resolve);
        this.#waiting = () => {
          timer.cancel();
          resolve();
        };
      });
    this.#waiting = undefined;
    this.#isAwake = false;
  }
}

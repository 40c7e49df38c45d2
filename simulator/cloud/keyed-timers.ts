import type { Clock, Timer } from "@coalmine/ports";

/** At most one timer for each key: setting another cancels the former. */
export class KeyedTimers {
  readonly #clock: Clock;
  readonly #timers = new Map<string, Timer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  set(key: string, delayMs: number, fire: () => void): void {
    this.cancel(key);
    this.#timers.set(
      key,
      this.#clock.timer(delayMs, () => {
        this.#timers.delete(key);
        fire();
      }),
    );
  }

  has(key: string): boolean {
    return this.#timers.has(key);
  }

  cancel(key: string): void {
    this.#timers.get(key)?.cancel();
    this.#timers.delete(key);
  }

  cancelAll(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }
}

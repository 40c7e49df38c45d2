import type { Clock, Timer } from "@coalmine/ports";

/** Sooner than this it does not fire: a thousand deadlines of one second are one turn. */
const SOONEST_MS = 1000;

/** One timer for many deadlines: it fires at the soonest, at most a second late, and is asked for again there. */
export class DeadlineTimer {
  readonly #clock: Clock;
  readonly #fire: () => void;
  #set: { readonly timer: Timer; readonly atMs: number } | undefined;

  constructor(clock: Clock, fire: () => void) {
    this.#clock = clock;
    this.#fire = fire;
  }

  within(delayMs: number): void {
    const waitMs = Math.max(SOONEST_MS, delayMs);
    const atMs = this.#clock.monotonicMs() + waitMs;
    if (this.#set !== undefined && this.#set.atMs <= atMs) return;
    this.cancel();
    const timer = this.#clock.timer(waitMs, () => {
      this.#set = undefined;
      this.#fire();
    });
    this.#set = { atMs, timer };
  }

  cancel(): void {
    this.#set?.timer.cancel();
    this.#set = undefined;
  }
}

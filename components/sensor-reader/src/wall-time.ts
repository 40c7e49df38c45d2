import type { Clock } from "@coalmine/ports";

/** Before this no device of the suite was made: a clock that says less has not been set since power came. */
const SET_FROM_MS = Date.UTC(2024, 0, 1);
/** A larger change is a step (somebody set the clock); a smaller one is the clock's resolution or its steering. */
const STEP_MS = 2;
const FOLLOW_SHARE = 0.05;
/** The system's clock is read in whole milliseconds. */
export const READ_MS = 1;

/** The wall clock's time of instants on the monotonic clock, by how the two stand to each other now. */
export class WallTime {
  readonly #clock: Clock;
  #offsetMs: number | undefined;
  #steps = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** False on a device without a clock of its own that has not heard the time yet. */
  get isSet(): boolean {
    return this.#clock.now() >= SET_FROM_MS;
  }
  /** How often it was set: times before and after a step do not compare. */
  get steps(): number {
    return this.#steps;
  }

  at(monotonicMs: number): number {
    const offsetMs = this.#clock.now() - this.#clock.monotonicMs();
    if (this.#offsetMs === undefined || Math.abs(offsetMs - this.#offsetMs) > STEP_MS) {
      if (this.#offsetMs !== undefined) this.#steps++;
      this.#offsetMs = offsetMs;
    } else this.#offsetMs += FOLLOW_SHARE * (offsetMs - this.#offsetMs);
    return monotonicMs + this.#offsetMs;
  }
}

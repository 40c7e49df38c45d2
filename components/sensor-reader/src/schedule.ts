/**
 * Ticks at `start + k · period` of the monotonic clock, for ever: a late one does not move those after it, and those that
 * passed meanwhile are missed, never made up for.
 */
export class Schedule {
  readonly periodMs: number;
  readonly #startMs: number;
  #tick = 0;

  constructor(periodMs: number, startMs: number) {
    this.periodMs = periodMs;
    this.#startMs = startMs;
  }

  /** How long until the next tick is due; 0 when it is. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.#startMs + this.#tick * this.periodMs - nowMs);
  }

  /** Takes the latest tick that is due; how many before it were missed. */
  take(nowMs: number): number {
    const due = Math.max(this.#tick, Math.floor((nowMs - this.#startMs) / this.periodMs));
    const missed = due - this.#tick;
    this.#tick = due + 1;
    return missed;
  }
}

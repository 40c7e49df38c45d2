import type { Clock, Timer } from "@coalmine/ports";
import { comparePositions, type Position } from "@coalmine/instrument";

/** No reading for this long ends the wait for a replay, and it is asked for again. */
const PROGRESS_WITHIN_MS = 2000;
const TRIES_MAX = 5;

/**
 * At most one replay runs on a link. What the line loses of it shows as no progress; it is asked for again from where
 * the readings stopped, and after several times in vain the link is given up.
 */
export class Replay {
  readonly #clock: Clock;
  readonly #again: () => void;
  readonly #giveUp: () => void;
  #running: { readonly request: number; remaining: number | undefined } | undefined;
  #timer: Timer | undefined;
  #triesInVain = 0;
  #progressAtMs = 0;
  #seen: Position | undefined;

  constructor(clock: Clock, again: () => void, giveUp: () => void) {
    this.#clock = clock;
    this.#again = again;
    this.#giveUp = giveUp;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  begin(request: number): void {
    this.#running = { request, remaining: undefined };
    this.#progressAtMs = this.#clock.monotonicMs();
    this.#arm(PROGRESS_WITHIN_MS);
  }

  /** The instrument answered: so many come. True when none does. */
  announced(request: number, count: number): boolean {
    if (this.#running?.request !== request) return false;
    this.#progressed();
    this.#running.remaining = count;
    return count === 0 && this.end();
  }

  /** A wanted reading was taken. True when it was the last of the replay. */
  took(): boolean {
    const running = this.#running;
    if (running === undefined) return false;
    this.#progressed();
    // Before the announcement came, a live reading may be just the wanted one.
    return running.remaining !== undefined && --running.remaining <= 0 && this.end();
  }

  /** The instrument has readings up to here: shows whether more is to be asked for. */
  saw(position: Position): void {
    if (this.#seen === undefined || comparePositions(position, this.#seen) > 0) this.#seen = position;
  }
  isBehind(next: Position | undefined): boolean {
    return next !== undefined && this.#seen !== undefined && comparePositions(next, this.#seen) <= 0;
  }

  end(): boolean {
    this.#timer?.cancel();
    this.#running = undefined;
    return true;
  }

  #progressed(): void {
    this.#triesInVain = 0;
    this.#progressAtMs = this.#clock.monotonicMs();
  }

  #arm(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.timer(delayMs, () => {
      // Not a timer a reading: it looks back when it fires.
      const idleMs = this.#clock.monotonicMs() - this.#progressAtMs;
      if (idleMs < PROGRESS_WITHIN_MS) return this.#arm(PROGRESS_WITHIN_MS - idleMs);
      this.end();
      if (++this.#triesInVain >= TRIES_MAX) this.#giveUp();
      else this.#again();
    });
  }
}

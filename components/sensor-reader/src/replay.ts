import type { Clock, Timer } from "@coalmine/ports";
import { comparePositions, type Position } from "@coalmine/instrument";

/** No reading for this long ends the wait for a replay, and it is asked for again. */
const PROGRESS_WITHIN_MS = 2000;
const TRIES_MAX = 5;
/** So often a replay that lost something is asked for again at once while nothing wanted comes; then it has to stand still. */
const HASTY_MAX = 3;

interface Announced {
  readonly first: Position;
  readonly count: number;
  remaining: number;
}

/**
 * At most one replay runs on a link. What the line loses of it shows by what comes after it, or where nothing does as no
 * progress; it is asked for again from where the readings stopped, and after several times in vain the link is given up.
 */
export class Replay {
  readonly #clock: Clock;
  readonly #again: () => void;
  readonly #giveUp: () => void;
  #running: { readonly request: number; announced: Announced | undefined } | undefined;
  #timer: Timer | undefined;
  #triesInVain = 0;
  #hasty = 0;
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
    this.#running = { request, announced: undefined };
    this.#progressAtMs = this.#clock.monotonicMs();
    this.#arm(PROGRESS_WITHIN_MS);
  }

  /** The instrument answered: so many come, from `first` on. True when none does. */
  announced(request: number, first: Position, count: number): boolean {
    if (this.#running?.request !== request) return false;
    this.#progressed();
    this.#running.announced = { first, count, remaining: count };
    return count === 0 && this.end();
  }

  /** A wanted reading was taken. True when it was the last of the replay. */
  took(): boolean {
    const running = this.#running;
    if (running === undefined) return false;
    this.#progressed();
    this.#hasty = 0;
    // Before the announcement came, a live reading may be just the wanted one.
    return running.announced !== undefined && --running.announced.remaining <= 0 && this.end();
  }

  /**
   * Ends the replay where a reading that is not the wanted one is a later one of it, so that the wanted one is lost. What
   * comes before the announcement is of what was asked before; live readings lie beyond. Of a replay over several boots
   * it cannot be told.
   */
  endIfLostBefore({ boot, sequence }: Position): void {
    const announced = this.#running?.announced;
    if (announced === undefined || boot !== announced.first.boot || this.#hasty >= HASTY_MAX) return;
    if (sequence >= announced.first.sequence + announced.count) return;
    this.#hasty++;
    this.end();
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

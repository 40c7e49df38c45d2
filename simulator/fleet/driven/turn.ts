import type { Instant } from "@coalmine/ports";
import { CoalmineError, type DrivenClock } from "@coalmine/runtime";

/** Changes and drives that may wait for their turn. */
const WAITING_MAX = 1000;

export class RegionBusy extends CoalmineError {
  readonly code = "ERR_REGION_BUSY";
}

/**
 * Whose turn it is in a driven region: either its clock runs, or somebody changes something, in order of asking. Reads
 * need no turn: they happen between two events.
 */
export class Turn {
  readonly #clock: DrivenClock;
  readonly #settled: () => Promise<void>;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** `settled` resolves when what happened has had all its effects, also those that the clock does not wait for. */
  constructor(clock: DrivenClock, settled: () => Promise<void> = () => Promise.resolve()) {
    this.#clock = clock;
    this.#settled = settled;
  }

  /** Drives the clock; resolves when it stands at `until`. An instant that is past changes nothing. */
  run(until: Instant): Promise<Instant> {
    return this.#inTurn(async () => {
      if (until > this.#clock.now()) await this.#clock.runUntil(until);
      return this.#clock.now();
    });
  }

  /** Drives the clock on by so much from where it stands when its turn comes. */
  advance(ms: number): Promise<Instant> {
    return this.#inTurn(async () => {
      await this.#clock.runUntil(this.#clock.now() + ms);
      return this.#clock.now();
    });
  }

  /** Runs `work` while the clock stands, and lets what follows at the same instant happen. */
  change<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#inTurn(async () => {
      const result = await work();
      await this.#clock.settle();
      return result;
    });
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#waiting >= WAITING_MAX)
      throw new RegionBusy(`${WAITING_MAX} calls wait for this region's clock to stand; ask later`);
    this.#waiting++;
    const mine = this.#last.then(work).finally(this.#settled);
    // The next one's turn comes whether or not this one went well; whoever asked hears of it.
    this.#last = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      this.#waiting--;
    }
  }
}

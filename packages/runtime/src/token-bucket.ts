import type { Clock } from "@coalmine/ports";

export interface BucketLimits {
  /** Tokens that come in a second. */
  readonly perSecond: number;
  /** The most that is kept of what nobody used. */
  readonly burst: number;
}

/**
 * A token bucket that goes into debt: whoever finds nothing owed may act, and owes what the act costs then, so that the
 * mean holds for acts of any size. It begins empty.
 */
export class TokenBucket {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #limits: () => BucketLimits;
  #tokens = 0;
  #filledMs: number;

  constructor(clock: Pick<Clock, "monotonicMs">, limits: () => BucketLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#filledMs = clock.monotonicMs();
  }

  /** Tokens owed, by what it was filled with so far. */
  get owed(): number {
    return Math.max(0, -this.#tokens);
  }

  /** A negative number gives back what was not used after all. */
  spend(tokens: number): void {
    this.#tokens -= tokens;
  }

  /** Lets in what came since the last time, and `more`; gives what there is no room for. */
  fill(more = 0): number {
    const nowMs = this.#clock.monotonicMs();
    const { perSecond, burst } = this.#limits();
    const tokens = this.#tokens + ((nowMs - this.#filledMs) / 1000) * perSecond + more;
    this.#filledMs = nowMs;
    this.#tokens = Math.min(tokens, burst);
    return tokens - this.#tokens;
  }

  /** As it began: nothing owed, nothing held. */
  empty(): void {
    this.#tokens = 0;
    this.#filledMs = this.#clock.monotonicMs();
  }
}

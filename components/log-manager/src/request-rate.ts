import type { Clock } from "@coalmine/ports";
import { TokenBucket } from "@coalmine/runtime";

/**
 * The rate of PutLogEvents, all sources and repeated tries together. Whoever comes takes the next free place, so that
 * nobody starves; as many sources as there are wait at most. What a second left unused may go at once, one request at
 * least.
 */
export class RequestRate {
  readonly #clock: Pick<Clock, "monotonicMs" | "sleep">;
  readonly #perSecond: () => number;
  readonly #delayed: () => void;
  readonly #bucket: TokenBucket;

  /** `delayed` is told of each request that has to wait. */
  constructor(clock: Pick<Clock, "monotonicMs" | "sleep">, perSecond: () => number, delayed: () => void) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#delayed = delayed;
    // Of what it holds, and one more: a request may go when nothing is owed.
    this.#bucket = new TokenBucket(clock, () => ({
      perSecond: perSecond(),
      burst: Math.max(1, perSecond()) - 1,
    }));
  }

  /** Resolves when one request may go. Throws `signal.reason`; then the place is free again. */
  async turn(signal: AbortSignal): Promise<void> {
    this.#bucket.fill();
    const waitMs = (this.#bucket.owed / this.#perSecond()) * 1000;
    this.#bucket.spend(1);
    if (waitMs === 0) return;
    this.#delayed();
    try {
      await this.#clock.sleep(waitMs, signal);
    } catch (stopped) {
      this.#bucket.spend(-1);
      throw stopped;
    }
  }
}

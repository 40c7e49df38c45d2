import type { Clock, Instant, Timer } from "@coalmine/ports";
import { sleepOn } from "@coalmine/runtime";

interface Pending {
  readonly dueMs: number;
  readonly fire: () => void;
  timer: Timer;
}

/** A clock that runs as another does, and can be moved on: then what came due meanwhile happens at once, in order. */
export class JumpingClock implements Clock {
  readonly #clock: Clock;
  readonly #pending = new Set<Pending>();
  #aheadMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): Instant {
    return this.#clock.now() + this.#aheadMs;
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs() + this.#aheadMs;
  }

  timer(delayMs: number, fire: () => void): Timer {
    const due = (): void => {
      this.#pending.delete(pending);
      fire();
    };
    const pending: Pending = {
      dueMs: this.monotonicMs() + delayMs,
      fire: due,
      timer: this.#clock.timer(delayMs, due),
    };
    this.#pending.add(pending);
    return {
      cancel: () => {
        this.#pending.delete(pending);
        pending.timer.cancel();
      },
    };
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, durationMs, signal);
  }

  /** Gives the time that it is then. */
  jump(durationMs: number): Instant {
    this.#aheadMs += durationMs;
    const nowMs = this.monotonicMs();
    const inOrder = [...this.#pending].sort((one, other) => one.dueMs - other.dueMs);
    for (const pending of inOrder) {
      pending.timer.cancel();
      // One that fired may have cancelled another.
      if (!this.#pending.has(pending)) continue;
      if (pending.dueMs <= nowMs) pending.fire();
      else pending.timer = this.#clock.timer(pending.dueMs - nowMs, pending.fire);
    }
    return this.now();
  }
}

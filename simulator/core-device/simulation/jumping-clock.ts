import type { Clock, Instant, Timer } from "@coalmine/ports";
import type { DrivenClock } from "@coalmine/runtime";

/** A driven clock whose time of day can be set wrong: timers and durations do not notice. */
export class JumpingClock implements Clock {
  readonly driven: DrivenClock;
  #offsetMs = 0;

  constructor(driven: DrivenClock) {
    this.driven = driven;
  }

  jump(byMs: number): void {
    this.#offsetMs += byMs;
  }

  now(): Instant {
    return this.driven.now() + this.#offsetMs;
  }
  monotonicMs(): number {
    return this.driven.monotonicMs();
  }
  timer(delayMs: number, fire: () => void): Timer {
    return this.driven.timer(delayMs, fire);
  }
  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return this.driven.sleep(durationMs, signal);
  }
}

import type { Clock, Timer } from "@coalmine/ports";
import type { ServerTime } from "../server-time.ts";

/** A clock that is led to the right time is not set: `adjtime` and its like stay far below this between two looks. */
const STEP_MS_MIN = 60_000;
const LOOK_EVERY_MS = 60_000;

/** The wall clock was set, by more than a minute. */
export interface ClockStep {
  readonly stepMs: number;
  /** What the old clock would show now. */
  readonly oldMs: number;
  /** The service had told that the old clock was right: what was written by it needs no correction. */
  readonly wasRight: boolean;
}

/** Why reading and putting are broken off: they begin again with what is known of the clock now. */
export class ClockStepped extends Error {
  override readonly name = "ClockStepped";
}

/**
 * Compares the wall clock with the monotonic one: whenever it is asked, and every minute. A device that slept looks the
 * same as one whose clock was set, since the monotonic clock stands still meanwhile; so what the service told of the
 * time counts.
 */
export class ClockWatch {
  readonly #clock: Clock;
  readonly #serverTime: Pick<ServerTime, "agreed" | "forget">;
  readonly #stepped: (step: ClockStep) => void;
  readonly #watching = new Set<(step: ClockStep) => void>();
  #last: { readonly nowMs: number; readonly monotonicMs: number };
  #timer: Timer | undefined;

  /** `stepped` is told before those that watch. */
  constructor(
    clock: Clock,
    serverTime: Pick<ServerTime, "agreed" | "forget">,
    stepped: (step: ClockStep) => void,
  ) {
    this.#clock = clock;
    this.#serverTime = serverTime;
    this.#stepped = stepped;
    this.#last = { nowMs: clock.now(), monotonicMs: clock.monotonicMs() };
    this.#wait();
  }

  /** Calls `stepped` for each step from here on, until the function that it gives is called. */
  watch(stepped: (step: ClockStep) => void): () => void {
    this.#watching.add(stepped);
    return () => void this.#watching.delete(stepped);
  }

  look(): void {
    // A step between two configurations is found when the next one watches.
    if (this.#watching.size === 0) return;
    const last = this.#last;
    this.#last = { nowMs: this.#clock.now(), monotonicMs: this.#clock.monotonicMs() };
    const passedMs = this.#last.monotonicMs - last.monotonicMs;
    const stepMs = Math.round(this.#last.nowMs - last.nowMs - passedMs);
    if (Math.abs(stepMs) <= STEP_MS_MIN) return;
    const step: ClockStep = {
      stepMs,
      oldMs: Math.round(last.nowMs + passedMs),
      wasRight: this.#serverTime.agreed(last.nowMs, last.monotonicMs),
    };
    // Where the device slept, it is as much behind.
    this.#serverTime.forget();
    this.#stepped(step);
    for (const watching of this.#watching) watching(step);
  }

  close(): void {
    this.#timer?.cancel();
  }

  #wait(): void {
    this.#timer = this.#clock.timer(LOOK_EVERY_MS, () => {
      this.look();
      this.#wait();
    });
  }
}

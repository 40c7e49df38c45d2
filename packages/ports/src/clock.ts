/** Milliseconds since the Unix epoch, as the device believes; may jump when the clock is set. */
export type Instant = number;

/** A timer that has not fired can be cancelled; cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * Time, handed in. On the driven clock a timer fires only when the driver comes to its instant.
 * Neither timers nor sleeps fire early.
 */
export interface Clock {
  now(): Instant;
  /** Milliseconds since some fixed start; never jumps, never runs backwards. */
  monotonicMs(): number;
  /** Resolves after `durationMs`; rejects with `signal.reason` when aborted first. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
  /** Calls `fire` once after `delayMs`. */
  timer(delayMs: number, fire: () => void): Timer;
}

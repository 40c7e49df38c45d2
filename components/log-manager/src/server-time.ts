import type { Clock } from "@coalmine/ports";
import type { RejectCause } from "./batches.ts";

/** CloudWatch takes events up to 14 days old and 2 hours ahead, by its own clock. */
const OLD_MS_MAX = 14 * 24 * 3_600_000;
const NEW_MS_MAX = 2 * 3_600_000;
/** Its `Date` has whole seconds, and the request takes time: near a limit the service itself is asked. */
const MARGIN_MS = 60_000;

/** The service's time, from its answers: the device's clock may be wrong, or set while it runs. */
export class ServerTime {
  readonly #clock: Clock;
  readonly #retentionMs: () => number;
  #told: { readonly serverMs: number; readonly monotonicMs: number } | undefined;

  constructor(clock: Clock, retentionDays: () => number | undefined) {
    this.#clock = clock;
    this.#retentionMs = () => (retentionDays() ?? Infinity) * 24 * 3_600_000;
  }

  note(serverMs: number): void {
    this.#told = { serverMs, monotonicMs: this.#clock.monotonicMs() };
  }

  /** Whether the device's clock showed the service's time then, as far as that is known. */
  agreed(nowMs: number, monotonicMs: number): boolean {
    if (this.#told === undefined) return false;
    return Math.abs(this.#told.serverMs + monotonicMs - this.#told.monotonicMs - nowMs) <= MARGIN_MS;
  }

  /** The monotonic clock may have stood still: what was told counts no more. */
  forget(): void {
    this.#told = undefined;
  }

  /** Why the service is sure to refuse an event of this time; nothing before the service has told its time. */
  refuses(timestampMs: number): RejectCause | undefined {
    if (this.#told === undefined) return undefined;
    const nowMs = this.#told.serverMs + this.#clock.monotonicMs() - this.#told.monotonicMs;
    if (timestampMs < nowMs - OLD_MS_MAX - MARGIN_MS) return "tooOld";
    if (timestampMs < nowMs - this.#retentionMs() - MARGIN_MS) return "expired";
    return timestampMs > nowMs + NEW_MS_MAX + MARGIN_MS ? "tooNew" : undefined;
  }
}

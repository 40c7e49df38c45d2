import type { Clock, Instant, Timer } from "@coalmine/ports";
import type { DrivenClock } from "@coalmine/runtime";

/** Ours: before it no server's certificate was valid that a device meets, so that TLS refuses them all. */
const TRUST_FROM_MS = Date.UTC(2020, 0, 1);

/** A device's own clock on the region's: its wall time may be wrong, its counter of what has passed is not. */
export class DeviceClock implements Clock {
  readonly #clock: DrivenClock;
  #offsetMs = 0;
  #ppm = 0;
  #driftsSinceMs = 0;

  constructor(clock: DrivenClock) {
    this.#clock = clock;
  }

  now(): Instant {
    const driftedMs =
      this.#ppm === 0 ? 0 : (this.#clock.monotonicMs() - this.#driftsSinceMs) * this.#ppm * 1e-6;
    return this.#clock.now() + this.#offsetMs + driftedMs;
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  timer(delayMs: number, fire: () => void): Timer {
    return this.#clock.timer(delayMs, fire);
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return this.#clock.sleep(durationMs, signal);
  }

  busy(): () => void {
    return this.#clock.busy();
  }

  /** So much ahead of the truth from now on, or behind it. */
  jump(byMs: number): void {
    this.#offsetMs += byMs;
  }

  drift(ppm: number): void {
    this.#driftsSinceMs = this.#clock.monotonicMs();
    this.#ppm = ppm;
  }

  /** As the truth has it, and it keeps it. */
  setRight(): void {
    this.#offsetMs = 0;
    this.#ppm = 0;
  }

  /** Whether a TLS stack on this clock takes a server's certificate. */
  get trustsCertificates(): boolean {
    return this.now() >= TRUST_FROM_MS;
  }
}

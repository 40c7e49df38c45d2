import type { Clock, Link, LinkClosed } from "@coalmine/ports";

/** A link whose bytes take so much longer each way as `delayMs` says when they set out. Their order stays. */
export class SlowLink implements Link {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #delayMs: () => number;
  readonly #outward = { untilMs: 0 };
  readonly #inward = { untilMs: 0 };

  constructor(link: Link, clock: Clock, delayMs: () => number) {
    this.#link = link;
    this.#clock = clock;
    this.#delayMs = delayMs;
  }

  write(bytes: Uint8Array): Promise<void> {
    const waitMs = this.#waitMs(this.#outward);
    if (waitMs === 0) return this.#link.write(bytes);
    // A copy: the writer may use its buffer again.
    const copy = new Uint8Array(bytes);
    return new Promise((resolve, reject) => {
      this.#clock.timer(waitMs, () => void this.#link.write(copy).then(resolve, reject));
    });
  }

  onData(receive: (bytes: Uint8Array) => void): void {
    this.#link.onData((bytes) => {
      const waitMs = this.#waitMs(this.#inward);
      if (waitMs === 0) receive(bytes);
      else {
        const copy = new Uint8Array(bytes);
        this.#clock.timer(waitMs, () => receive(copy));
      }
    });
  }

  onClose(closed: (why: LinkClosed) => void): void {
    this.#link.onClose(closed);
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  /** Nothing overtakes what set out before it, also where the delay has ended meanwhile. */
  #waitMs(way: { untilMs: number }): number {
    const delayMs = this.#delayMs();
    const nowMs = delayMs > 0 || way.untilMs > 0 ? this.#clock.monotonicMs() : 0;
    const untilMs = Math.max(nowMs + delayMs, way.untilMs);
    way.untilMs = untilMs > nowMs ? untilMs : 0;
    return untilMs - nowMs;
  }
}

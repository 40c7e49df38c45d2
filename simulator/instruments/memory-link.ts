import type { Clock, Link, LinkClosed } from "@coalmine/ports";

export interface LineOptions {
  /** Without one, bytes arrive as soon as promises run; with one, after `latencyMs`, in order. */
  readonly clock?: Pick<Clock, "timer" | "monotonicMs">;
  readonly latencyMs?: () => number;
  /** What becomes of the bytes on the way; `undefined` loses them. */
  readonly mangle?: (bytes: Uint8Array) => Uint8Array | undefined;
}

/** A cable with two ends. */
export interface Cable {
  readonly ends: readonly [Link, Link];
  /** Pulls it: both ends close, and what was on the way is lost. */
  hangUp(reason: string): void;
}

export function cable(options: LineOptions = {}): Cable {
  const one = new End(options);
  const two = new End(options);
  one.other = two;
  two.other = one;
  return {
    ends: [one, two],
    hangUp(reason) {
      one.hear({ by: "other", reason });
      two.hear({ by: "other", reason });
    },
  };
}

class End implements Link {
  other: End | undefined;
  readonly #options: LineOptions;
  #receive: ((bytes: Uint8Array) => void) | undefined;
  #closed: ((why: LinkClosed) => void) | undefined;
  #open = true;
  #lastDueMs = 0;

  constructor(options: LineOptions) {
    this.#options = options;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (!this.#open) throw new Error("The link is closed; open the port again.");
    const { clock, latencyMs, mangle } = this.#options;
    const sent = mangle === undefined ? bytes.slice() : mangle(bytes.slice());
    if (sent === undefined) return;
    const other = this.other;
    if (clock === undefined || latencyMs === undefined) {
      void Promise.resolve().then(() => other?.arrive(sent));
      return;
    }
    const nowMs = clock.monotonicMs();
    this.#lastDueMs = Math.max(this.#lastDueMs, nowMs + latencyMs());
    clock.timer(this.#lastDueMs - nowMs, () => other?.arrive(sent));
  }

  onData(receive: (bytes: Uint8Array) => void): void {
    this.#receive = receive;
  }
  onClose(closed: (why: LinkClosed) => void): void {
    this.#closed = closed;
  }

  async close(): Promise<void> {
    this.hear({ by: "us" });
    this.other?.hear({ by: "other", reason: "the other end closed" });
  }

  hear(why: LinkClosed): void {
    if (!this.#open) return;
    this.#open = false;
    this.#closed?.(why);
  }

  arrive(bytes: Uint8Array): void {
    if (this.#open) this.#receive?.(bytes);
  }
}

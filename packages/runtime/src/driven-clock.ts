import type { Clock, Instant, Timer } from "@coalmine/ports";

/**
 * A clock that stands still until it is driven. Timers fire in order of their instant, equal instants in order of
 * setting. After each one the driver lets every resolved promise run (`drain`), and while a port has real work in
 * flight (`busy`) it waits, so that wall time never orders events.
 */
export class DrivenClock implements Clock {
  #now: Instant;
  readonly #start: Instant;
  readonly #heap: Entry[] = [];
  #order = 0;
  #inFlight = 0;
  #idle: (() => void)[] = [];
  readonly #drain: () => Promise<void>;

  /** `drain` gives all resolved promises their turn; in Node `() => new Promise(setImmediate)` does. */
  constructor(start: Instant, drain: () => Promise<void>) {
    this.#now = start;
    this.#start = start;
    this.#drain = drain;
  }

  now(): Instant {
    return this.#now;
  }

  monotonicMs(): number {
    return this.#now - this.#start;
  }

  timer(delayMs: number, fire: () => void): Timer {
    const entry: Entry = { at: this.#now + Math.max(0, delayMs), order: this.#order++, fire };
    push(this.#heap, entry);
    return {
      cancel: () => {
        entry.fire = undefined;
      },
    };
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, durationMs, signal);
  }

  /** Marks real work in flight until the returned function is called; the driver waits for it. */
  busy(): () => void {
    this.#inFlight++;
    let done = false;
    return () => {
      if (done) return;
      done = true;
      this.#inFlight--;
      if (this.#inFlight === 0) for (const wake of this.#idle.splice(0)) wake();
    };
  }

  /** The instant of the next timer, if any is set. */
  next(): Instant | undefined {
    while (this.#heap[0] !== undefined && this.#heap[0].fire === undefined) pop(this.#heap);
    return this.#heap[0]?.at;
  }

  /** Fires everything due up to and including `until`, then stands there. */
  async runUntil(until: Instant): Promise<void> {
    await this.settle();
    for (;;) {
      const at = this.next();
      if (at === undefined || at > until) break;
      const entry = pop(this.#heap);
      this.#now = Math.max(this.#now, at);
      const fire = entry?.fire;
      if (entry !== undefined) entry.fire = undefined;
      fire?.();
      // As `settle`, without a promise of its own: a fleet's clock has tens of millions of timers in a day.
      await this.#drain();
      if (this.#inFlight > 0) await this.#workDone();
    }
    this.#now = Math.max(this.#now, until);
  }

  /** Until nothing that is ready to run is left: no resolved promise, no real work in flight. */
  async settle(): Promise<void> {
    await this.#drain();
    await this.#workDone();
  }

  async #workDone(): Promise<void> {
    while (this.#inFlight > 0) {
      await new Promise<void>((wake) => this.#idle.push(wake));
      await this.#drain();
    }
  }
}

/** `Clock.sleep` on any clock's timers. The abort listener goes when the sleep ends: signals live long. */
export function sleepOn(
  clock: Pick<Clock, "timer">,
  durationMs: number,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(asError(signal.reason));
      return;
    }
    const timer = clock.timer(durationMs, () => {
      signal?.removeEventListener("abort", aborted);
      resolve();
    });
    function aborted(): void {
      timer.cancel();
      reject(asError(signal?.reason));
    }
    signal?.addEventListener("abort", aborted, { once: true });
  });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("aborted", { cause: reason });
}

interface Entry {
  at: Instant;
  order: number;
  fire: (() => void) | undefined;
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** A binary heap, earliest first. */
function push(heap: Entry[], entry: Entry): void {
  let index = heap.push(entry) - 1;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || !before(entry, above)) break;
    heap[index] = above;
    index = parent;
  }
  heap[index] = entry;
}

function pop(heap: Entry[]): Entry | undefined {
  const top = heap[0];
  const last = heap.pop();
  if (top === undefined || last === undefined || heap.length === 0) return top;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    let least = heap[child];
    const right = heap[child + 1];
    if (least !== undefined && right !== undefined && before(right, least)) {
      child++;
      least = right;
    }
    if (least === undefined || !before(least, last)) break;
    heap[index] = least;
    index = child;
  }
  heap[index] = last;
  return top;
}

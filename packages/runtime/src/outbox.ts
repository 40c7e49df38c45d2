import type { Acknowledgement, Measurement } from "@coalmine/contract";
import { topics } from "@coalmine/contract";
import type { Clock, Ipc, Timer } from "@coalmine/ports";

export interface OutboxLimits {
  /** At most this many batches wait for acknowledgement; `offer` refuses more. */
  readonly batchesMax: number;
  /** A batch is published again after this long, doubling up to `republishMaxMs`. */
  readonly republishMs: number;
  readonly republishMaxMs: number;
}

/**
 * Batches that were published and are not yet acknowledged. Local publish/subscribe delivers at most once, so each is
 * published again, with doubling waits, until stream-uploader names it.
 */
export class Outbox {
  readonly #waiting = new Map<
    string,
    { readonly points: readonly Measurement[]; timer: Timer | undefined; waitMs: number }
  >();
  readonly #clock: Clock;
  readonly #ipc: Pick<Ipc, "publish">;
  readonly #limits: () => OutboxLimits;
  /** Publications, first and repeated. */
  published = 0;
  #closed = false;

  constructor(
    ports: { readonly clock: Clock; readonly ipc: Pick<Ipc, "publish"> },
    limits: () => OutboxLimits,
  ) {
    this.#clock = ports.clock;
    this.#ipc = ports.ipc;
    this.#limits = limits;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Publishes a batch and keeps it. False when the outbox is full: nothing was taken. */
  offer(batch: string, points: readonly Measurement[]): boolean {
    if (this.#waiting.has(batch)) return true;
    if (this.#waiting.size >= this.#limits().batchesMax) return false;
    this.#waiting.set(batch, { points, timer: undefined, waitMs: this.#limits().republishMs });
    this.#publish(batch);
    return true;
  }

  /** Takes an acknowledgement; gives the batches that it settled. */
  settle(acknowledgement: Acknowledgement): string[] {
    const named = [...acknowledgement.durable, ...acknowledgement.refused.map(({ batch }) => batch)];
    return named.filter((batch) => {
      const entry = this.#waiting.get(batch);
      entry?.timer?.cancel();
      return this.#waiting.delete(batch);
    });
  }

  close(): void {
    this.#closed = true;
    for (const entry of this.#waiting.values()) entry.timer?.cancel();
  }

  #publish(batch: string): void {
    const entry = this.#waiting.get(batch);
    if (entry === undefined || this.#closed) return;
    this.published++;
    // A publication that fails is like one that is lost: the timer brings the next.
    void this.#ipc
      .publish(topics.measurements, { json: { version: 1, batch, points: entry.points } })
      .catch(() => undefined);
    entry.timer = this.#clock.timer(entry.waitMs, () => this.#publish(batch));
    entry.waitMs = Math.min(entry.waitMs * 2, this.#limits().republishMaxMs);
  }
}

import { MEASUREMENTS_PER_BATCH_MAX, type Measurement, topics } from "@coalmine/contract";
import type { Clock, Ipc, Log } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import { Agreement } from "./agreement.ts";
import { Results } from "./postprocess.ts";
import type { Scored } from "./scoring.ts";
import type { ServedModel } from "./served-model.ts";

/** Batches that wait for the shadow; beyond this it is spared one, which is counted: the champion waits for nobody. */
const BATCHES_WAITING_MAX = 4;

/** A candidate beside the model that serves: it sees the same windows, after them, and nobody acts on what it says. */
export class Shadow {
  readonly served: ServedModel;
  readonly agreement: Agreement;
  readonly #ports: { readonly clock: Clock; readonly ipc: Pick<Ipc, "publish">; readonly log: Log };
  readonly #results = new Results();
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(
    ports: { readonly clock: Clock; readonly ipc: Pick<Ipc, "publish">; readonly log: Log },
    served: ServedModel,
  ) {
    this.#ports = ports;
    this.served = served;
    this.agreement = new Agreement(served.manifest.outputs.classes.labels.length);
  }

  /** What the model that serves said of some windows, which the shadow now scores too. */
  offer(batch: readonly Scored[]): void {
    if (this.#isClosed || this.#waiting >= BATCHES_WAITING_MAX) {
      this.agreement.skipped += batch.length;
      return;
    }
    this.#waiting++;
    this.#last = this.#last.then(async () => {
      await this.#score(batch);
      this.#waiting--;
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#last;
    await this.served.close();
  }

  async #score(batch: readonly Scored[]): Promise<void> {
    const { clock, log } = this.#ports;
    const { opening } = this.served;
    const startedMs = clock.monotonicMs();
    try {
      const told = await this.served.score(batch.map(({ window }) => window));
      const runMs = (clock.monotonicMs() - startedMs) / batch.length;
      const points: Measurement[] = [];
      for (const [index, { window, score }] of batch.entries()) {
        const own = told[index];
        if (own === undefined) continue;
        this.agreement.add(score, own, runMs);
        points.push(...this.#results.of(window, own, this.served.manifest));
      }
      await this.#publish(points);
    } catch (failure) {
      this.agreement.failed += batch.length;
      log.warn("a shadow model could not score what the serving one did", { reason: messageOf(failure) });
      await this.served.reopen(opening).catch(() => undefined);
    }
  }

  /** At most once, on a topic of its own: nothing that keeps measurements hears it. */
  async #publish(all: readonly Measurement[]): Promise<void> {
    const points = all.map((point) => ({ ...point, channel: `shadow-${point.channel}` }));
    for (let at = 0; at < points.length; at += MEASUREMENTS_PER_BATCH_MAX) {
      const part = points.slice(at, at + MEASUREMENTS_PER_BATCH_MAX);
      const [first] = part;
      const batch = `InferenceShadow:${first?.instrument}:${first?.boot}:${first?.sequence}`;
      await this.#ports.ipc
        .publish(topics.shadowResults, { json: { version: 1, batch, points: part } })
        .catch(() => undefined);
    }
  }
}

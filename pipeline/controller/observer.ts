import type { Clock, Log } from "@coalmine/ports";
import { EvidenceStore } from "../evidence/evidence-store.ts";
import type { Policy } from "../policy.ts";
import type { Evidence } from "../rollout/evidence.ts";
import { next } from "../rollout/next.ts";
import type { Rollout, Times } from "../rollout/state.ts";
import type { FoldedRollout } from "./folded.ts";
import type { KeptDocuments } from "./kept.ts";
import { dueLook, Looks } from "./looks.ts";
import type { Region } from "./region.ts";
import { lateRevisions, Reports } from "./reports.ts";
import { dueWatch, Watches } from "./watches.ts";

/** What is seen of a target's devices: what they report, and the looks and watches that are due. */
export class Observer {
  readonly #looks: Looks;
  readonly #watches: Watches;
  readonly #reports = new Reports();
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(kept: KeptDocuments, clock: Clock, log: Log) {
    this.#looks = new Looks(kept);
    this.#watches = new Watches(kept);
    this.#clock = clock;
    this.#log = log;
  }

  /** Begins to read what a first look will need. */
  prepare(folded: FoldedRollout, rollout: Rollout, region: Region, policyOf: () => Policy): void {
    const { name } = region.target;
    this.#looks.prepare(folded, rollout, name, policyOf, new EvidenceStore(region.dynamodb, name));
  }

  async observe(
    folded: FoldedRollout,
    rollout: Rollout,
    region: Region,
    now: Times,
    policyOf: () => Policy,
  ): Promise<Evidence[]> {
    const { name } = region.target;
    const nowMs = now[name] ?? 0;
    const store = new EvidenceStore(region.dynamodb, name);
    const evidence = [
      ...(await lateRevisions(rollout, region)),
      ...(await this.#reports.of(rollout, name, region)),
    ];
    const current = evidence.length === 0 ? rollout : next(rollout, evidence, now).rollout;
    const elapsedMs = dueLook(folded, current, name, nowMs);
    if (elapsedMs !== undefined)
      evidence.push(
        await this.#timed("look", folded.id, name, () =>
          this.#looks.take(folded, current, name, elapsedMs, policyOf(), store),
        ),
      );
    const atMs = dueWatch(current, name, nowMs);
    if (atMs !== undefined)
      evidence.push(
        await this.#timed("watch", folded.id, name, () =>
          this.#watches.take(current, name, atMs, policyOf(), store),
        ),
      );
    return evidence;
  }

  async #timed(
    what: string,
    rollout: string,
    target: string,
    take: () => Promise<Evidence>,
  ): Promise<Evidence> {
    const beganMs = this.#clock.monotonicMs();
    const taken = await take();
    const tookMs = Math.round(this.#clock.monotonicMs() - beganMs);
    this.#log.info(`A ${what} was taken.`, { rollout, target, tookMs });
    return taken;
  }
}

import { invariant } from "@coalmine/runtime";
import type * as z from "zod";
import { EvidenceReader, lookOf, ReaderState, valuesOf } from "../evidence/evidence-reader.ts";
import type { EvidenceStore } from "../evidence/evidence-store.ts";
import { Look } from "../judge/bundle.ts";
import { sha256Of } from "../judge/digest.ts";
import { judge } from "../judge/judge.ts";
import { metricsOf, targetPolicy, type Policy } from "../policy.ts";
import type { Evidence } from "../rollout/evidence.ts";
import type { RolloutTarget } from "../rollout/plan.ts";
import { targetsOf, type Rollout, type TargetState } from "../rollout/state.ts";
import type { FoldedRollout } from "./folded.ts";
import { Before, bundleOf, folderOf, lookKey, verdictKey } from "./kept-bundle.ts";
import type { KeptDocuments } from "./kept.ts";

/** Once a verdict is there, a look is taken when the time since the assignment has grown by this share. */
const GROWTH_AFTER_VERDICT = 1 / 32;

/** After this long all rows of a minute are there. */
const ROWS_COME_MS = 2 * 60_000;

/** The look that is due at the target's time, as the time since the assignment that it is about; undefined for none. */
export function dueLook(
  folded: FoldedRollout,
  rollout: Rollout,
  target: string,
  nowMs: number,
): number | undefined {
  const own = targetsOf(rollout).find(({ plan }) => plan.name === target);
  const { phase } = rollout.phase;
  if (own?.state.assignedAtMs === undefined || phase === "rollingBack" || phase === "done") return undefined;
  const { lookEveryMs } = own.plan.policy;
  const elapsedMs = Math.floor((nowMs - own.state.assignedAtMs) / lookEveryMs) * lookEveryMs;
  const lastMs = folded.looks[target]?.at(-1)?.elapsedMs ?? 0;
  if (elapsedMs <= lastMs) return undefined;
  const verdict = own.state.verdict?.verdict;
  const decided = verdict !== undefined && verdict !== "WAIT";
  return decided && elapsedMs - lastMs < elapsedMs * GROWTH_AFTER_VERDICT ? undefined : elapsedMs;
}

/**
 * Takes looks, and keeps what they were made of; how far evidence was read lies beside it, so that a new controller goes
 * on from it.
 */
export class Looks {
  readonly #kept: KeptDocuments;
  readonly #readers = new Map<string, EvidenceReader>();
  readonly #known = new Map<string, Look>();
  /** By folder: what was before the assignment, read or being read. */
  readonly #befores = new Map<string, Promise<z.infer<typeof Before>>>();

  constructor(kept: KeptDocuments) {
    this.#kept = kept;
  }

  async take(
    folded: FoldedRollout,
    rollout: Rollout,
    target: string,
    elapsedMs: number,
    policy: Policy,
    store: EvidenceStore,
  ): Promise<Evidence> {
    const own = targetsOf(rollout).find(({ plan }) => plan.name === target);
    invariant(own?.state.assignedAtMs !== undefined, `no canary is assigned in ${target}`);
    const { plan, state } = own;
    const fromMs = own.state.assignedAtMs;
    const folder = folderOf(folded.id, target);
    this.#forgetAllBut(`rollouts/${folded.id}/`);
    const metrics = metricsOf(policy, targetPolicy(policy, target));
    const before = await this.#readBefore(folder, plan, fromMs, metrics, store);
    const look =
      (await this.#look(folder, elapsedMs)) ??
      (await this.#newLook(folder, plan, state, { fromMs, toMs: fromMs + elapsedMs }, metrics, store));
    const looks: Look[] = [];
    for (const past of folded.looks[target] ?? []) {
      const kept = await this.#look(folder, past.elapsedMs);
      invariant(kept !== undefined, `the look at ${past.elapsedMs} ms of ${folder} is gone from the bucket`);
      looks.push(kept);
    }
    const bundle = bundleOf(folded.id, plan, state, policy, before, [...looks, look]);
    const verdict = judge(bundle);
    await this.#kept.write(verdictKey(folded.id, target, elapsedMs), verdict);
    return {
      kind: "look",
      target,
      elapsedMs,
      digest: sha256Of(bundle),
      verdict: verdict.verdict,
      because: verdict.because,
    };
  }

  /**
   * Begins to read what was before the assignment, while the first look is not due: a day of rows takes a while.
   * Nothing comes of it where reading fails; the look reads again.
   */
  prepare(
    folded: FoldedRollout,
    rollout: Rollout,
    target: string,
    policyOf: () => Policy,
    store: EvidenceStore,
  ): void {
    const own = targetsOf(rollout).find(({ plan }) => plan.name === target);
    const fromMs = own?.state.assignedAtMs;
    const folder = folderOf(folded.id, target);
    if (own === undefined || fromMs === undefined || this.#befores.has(folder)) return;
    // Rows of the last minute may be on their way yet; and of a rollout that was looked at it is known.
    if (own.now < fromMs + ROWS_COME_MS || (folded.looks[target] ?? []).length > 0) return;
    const policy = policyOf();
    const metrics = metricsOf(policy, targetPolicy(policy, target));
    this.#readBefore(folder, own.plan, fromMs, metrics, store).catch(() => undefined);
  }

  #readBefore(
    folder: string,
    ...of: [RolloutTarget, number, ReturnType<typeof metricsOf>, EvidenceStore]
  ): Promise<z.infer<typeof Before>> {
    const reading = this.#befores.get(folder) ?? this.#before(folder, ...of);
    this.#befores.set(folder, reading);
    reading.catch(() => this.#befores.delete(folder));
    return reading;
  }

  async #before(
    folder: string,
    plan: RolloutTarget,
    assignedAtMs: number,
    metrics: ReturnType<typeof metricsOf>,
    store: EvidenceStore,
  ): Promise<z.infer<typeof Before>> {
    const key = `${folder}/before.json`;
    const kept = await this.#kept.read(key, Before);
    if (kept !== undefined) return kept;
    const window = { fromMs: assignedAtMs - plan.policy.prePeriodMs, toMs: assignedAtMs };
    // Without a pre-period nothing is known of before, and nothing need be read.
    const tally =
      window.fromMs === window.toMs
        ? {}
        : await new EvidenceReader(store, window.fromMs).tallyAt(window.toMs);
    const things = plan.devices.map(({ thing }) => thing);
    return this.#kept.writeOnce(key, Before, valuesOf(tally, window, things, metrics));
  }

  async #newLook(
    folder: string,
    plan: RolloutTarget,
    state: TargetState,
    window: { readonly fromMs: number; readonly toMs: number },
    metrics: ReturnType<typeof metricsOf>,
    store: EvidenceStore,
  ): Promise<Look> {
    let reader = this.#readers.get(folder);
    if (reader === undefined) {
      const kept = await this.#kept.read(readerKey(folder), ReaderState);
      reader = new EvidenceReader(store, kept?.fromMs === window.fromMs ? kept : window.fromMs);
      this.#readers.set(folder, reader);
    }
    const tally = await reader.tallyAt(window.toMs);
    const onCandidate = new Set(
      Object.entries(state.reports).flatMap(([thing, { set }]) => (set === plan.candidate.id ? [thing] : [])),
    );
    const fleet = {
      things: plan.devices.map(({ thing }) => thing),
      canary: state.order.slice(0, state.canaryCount),
      onCandidate,
    };
    const elapsedMs = window.toMs - window.fromMs;
    const look = await this.#kept.writeOnce(
      lookKey(folder, elapsedMs),
      Look,
      lookOf(tally, window, fleet, metrics),
    );
    await this.#kept.write(readerKey(folder), reader.state());
    this.#known.set(`${folder}/${elapsedMs}`, look);
    return look;
  }

  /** One rollout is judged at a time: what was read for others can go. */
  #forgetAllBut(prefix: string): void {
    for (const map of [this.#readers, this.#known, this.#befores])
      for (const key of map.keys()) if (!key.startsWith(prefix)) map.delete(key);
  }

  async #look(folder: string, elapsedMs: number): Promise<Look | undefined> {
    const key = `${folder}/${elapsedMs}`;
    const known = this.#known.get(key) ?? (await this.#kept.read(lookKey(folder, elapsedMs), Look));
    if (known !== undefined) this.#known.set(key, known);
    return known;
  }
}

/** Where it says how far evidence was read. */
export function readerKey(folder: string): string {
  return `${folder}/reader.json`;
}

import { createHash } from "node:crypto";
import { invariant } from "@coalmine/runtime";
import { EvidenceReader, lookOf } from "../evidence/evidence-reader.ts";
import type { EvidenceStore } from "../evidence/evidence-store.ts";
import type { JudgePolicy, Look } from "../judge/bundle.ts";
import type { WaveStep } from "../judge/wave-step.ts";
import { watch, WaveSeen } from "../judge/watch.ts";
import { judging, metricsOf, targetPolicy, type Policy } from "../policy.ts";
import type { Evidence } from "../rollout/evidence.ts";
import { nextWatchMs, stepAtMs } from "../rollout/soaks.ts";
import { targetsOf, waveThings, type Rollout } from "../rollout/state.ts";
import type { KeptDocuments } from "./kept.ts";
import { Before, folderOf } from "./kept-bundle.ts";

/** The target's time at which its wave is to be looked at, if one is due that was not looked at yet. */
export function dueWatch(rollout: Rollout, target: string, nowMs: number): number | undefined {
  const own = targetsOf(rollout).find(({ plan }) => plan.name === target);
  const { phase } = rollout.phase;
  if (own?.state.watch === undefined || phase === "rollingBack" || phase === "done") return undefined;
  const { fromMs, seen } = own.state.watch;
  const atMs = nextWatchMs(own.plan, fromMs, nowMs) - own.plan.policy.pulseEveryMs;
  return atMs > (seen?.atMs ?? fromMs) ? atMs : undefined;
}

/** Watches waves, and keeps what was seen as `rollouts/<id>/<target>/watches/<ms>.json`, so that it can be said again. */
export class Watches {
  readonly #kept: KeptDocuments;
  /** Target → how far its present wave has been read; after a crash it is read again, which is hours at most. */
  readonly #readers = new Map<string, { readonly wave: string; readonly reader: EvidenceReader }>();

  constructor(kept: KeptDocuments) {
    this.#kept = kept;
  }

  async take(
    rollout: Rollout,
    target: string,
    atMs: number,
    policy: Policy,
    store: EvidenceStore,
  ): Promise<Evidence> {
    const own = targetsOf(rollout).find(({ plan }) => plan.name === target);
    invariant(own?.state.watch !== undefined, `no wave is under way in ${target}`);
    const { plan, state } = own;
    const { fromMs } = own.state.watch;
    const id = rollout.plan.rollout;
    const reader = this.#reader(`${id}/${fromMs}`, target, fromMs, store);
    const onCandidate = new Set(
      Object.entries(state.reports).flatMap(([thing, { set }]) => (set === plan.candidate.id ? [thing] : [])),
    );
    const fleet = { things: plan.devices.map(({ thing }) => thing), canary: state.exposed, onCandidate };
    const metrics = metricsOf(policy, targetPolicy(policy, target));
    const lookAt = async (toMs: number): Promise<Look> =>
      lookOf(await reader.tallyAt(toMs), { fromMs, toMs }, fleet, metrics);
    const judged = judging(policy, target);
    // Read first, since a reader goes forward.
    const step = await this.#step(rollout, own, judged.policy, atMs, lookAt);
    const seen: WaveSeen = {
      version: 1,
      rollout: id,
      target,
      devices: plan.devices,
      told: state.exposed,
      metrics: judged.metrics,
      guard: judged.policy.guard,
      look: await lookAt(atMs),
      ...(step === undefined ? {} : { step }),
    };
    const key = `${folderOf(id, target)}/watches/${String(Math.round(atMs)).padStart(15, "0")}.json`;
    const kept = await this.#kept.writeOnce(key, WaveSeen, seen);
    const { verdict, because, step: found } = watch(kept);
    const digest = createHash("sha256")
      .update(JSON.stringify(WaveSeen.parse(kept)))
      .digest("hex");
    return {
      kind: "watched",
      target,
      fromMs,
      atMs,
      digest,
      verdict,
      because,
      ...(found === undefined ? {} : { step: found }),
    };
  }

  /** What the wave is compared by, at the first look that comes after its time; once a wave. */
  async #step(
    { plan: { rollout: id }, phase: at }: Rollout,
    { plan, state }: ReturnType<typeof targetsOf>[number],
    { judgedBy, alpha, draws }: JudgePolicy,
    atMs: number,
    lookAt: (toMs: number) => Promise<Look>,
  ): Promise<WaveStep | undefined> {
    const fromMs = state.watch?.fromMs ?? Infinity;
    const comparedAtMs = stepAtMs(plan, fromMs);
    const isKnown = state.steps.some((one) => one.fromMs === fromMs);
    if (judgedBy !== "comparison" || at.phase !== "waves" || atMs < comparedAtMs || isKnown) return undefined;
    const joined = waveThings(plan, state, at.wave);
    const waves = plan.policy.waves.filter((_, wave) => waveThings(plan, state, wave + 1).length > 0).length;
    if (joined.length === 0 || waves === 0 || state.exposed.length === plan.devices.length) return undefined;
    return {
      joined,
      earlier: state.exposed.filter((thing) => !joined.includes(thing)),
      before: (await this.#kept.read(`${folderOf(id, plan.name)}/before.json`, Before)) ?? {},
      look: await lookAt(comparedAtMs),
      seed: `${state.seed ?? ""}/wave ${at.wave}`,
      alpha,
      draws,
      waves,
      found: state.steps.map(({ found }) => found),
    };
  }

  #reader(wave: string, target: string, fromMs: number, store: EvidenceStore): EvidenceReader {
    const known = this.#readers.get(target);
    if (known?.wave === wave) return known.reader;
    const reader = new EvidenceReader(store, fromMs);
    this.#readers.set(target, { wave, reader });
    return reader;
  }
}

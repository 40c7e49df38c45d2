import type { Clock, Log } from "@coalmine/ports";
import { CoalmineError, invariant, messageOf } from "@coalmine/runtime";
import { EvidenceStore } from "../evidence/evidence-store.ts";
import { parsePolicy, type Policy } from "../policy.ts";
import { ReleaseManifest, releaseKey } from "../release.ts";
import { isDeed, type Wait } from "../rollout/action.ts";
import type { Evidence } from "../rollout/evidence.ts";
import { actionsOf, next } from "../rollout/next.ts";
import type { Rollout, Times } from "../rollout/state.ts";
import type { Signers } from "../supply/signers.ts";
import { findOverride } from "../stages/override.ts";
import type { Target } from "../target.ts";
import type { RolloutRecord } from "./audit.ts";
import { carryOut, type DeedPorts, type Notify } from "./deeds.ts";
import { foldEntry, isFinished, readRollout, type FoldedRollout } from "./folded.ts";
import { KeptDocuments } from "./kept.ts";
import { knownGoodBy } from "./known-good.ts";
import { Observer } from "./observer.ts";
import { PipelineWaits, type OpenWait } from "./pipeline-waits.ts";
import { planRollout } from "./plan-rollout.ts";
import type { Region } from "./region.ts";
import { AppendConflict, RolloutLog } from "./rollout-log.ts";
import type { TargetTime } from "./target-time.ts";

export interface ControllerOptions {
  /** The home region first: pipeline, events and what is kept are there. */
  readonly regions: readonly [Region, ...Region[]];
  readonly pipeline: string;
  /** The policy for a release that brings none, as text. */
  readonly policy: string;
  readonly time: TargetTime;
  readonly clock: Clock;
  /** A seed that nobody can guess, for a draw. */
  readonly newSeed: () => string;
  readonly notify: Notify;
  readonly log: Log;
  /** Whose signature each version of a release needs; without any it needs none. */
  readonly signers?: Signers | undefined;
}

/** What one pass did, and when to come back. */
export interface Tick {
  readonly rollout: string | undefined;
  readonly phase: string | undefined;
  /** Something was recorded: there may be more to do at once. */
  readonly moved: boolean;
  readonly waits: readonly Wait[];
}

/** Rollouts that are looked through for one that has not ended. */
const UNFINISHED_AMONG = 5;
/** Passes without a pause while each finds something to record. */
const MOVES_AT_ONCE_MAX = 50;
/** After a hint others follow, and are heard with it. */
const HINTS_MS = 100;
const NOTHING: Tick = { rollout: undefined, phase: undefined, moved: false, waits: [] };

/**
 * The one owner of rollout state. It keeps nothing of its own: each pass reads the events, thinks with `next`, records
 * what it learnt before it acts, and acts so that doing it twice is doing it once. Two of them do no harm.
 */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #log: RolloutLog;
  readonly #waits: PipelineWaits;
  readonly #kept: KeptDocuments;
  readonly #observer: Observer;
  readonly #deeds: DeedPorts;
  /** What was read before: events never change, so only newer ones are read. */
  readonly #folded = new Map<string, FoldedRollout>();
  /** Driven targets that run at this moment: their state is not looked at until they stand. */
  readonly #running = new Map<string, number>();
  #isReady = false;
  /** Ends the present wait; a hint that comes while a pass is under way makes the next wait none. */
  #wake = new AbortController();

  constructor(options: ControllerOptions) {
    this.#options = options;
    const [home] = options.regions;
    this.#log = new RolloutLog(home.dynamodb, options.clock);
    this.#waits = new PipelineWaits(home.codepipeline, options.pipeline);
    this.#kept = new KeptDocuments(home.s3, home.target.artifactBucket);
    this.#observer = new Observer(this.#kept, options.clock, options.log);
    this.#deeds = {
      regionOf: (target) => this.#region(target),
      seedOf: (rollout, target) => this.#seedOf(rollout, target),
      waits: this.#waits,
      notify: options.notify,
    };
  }

  /** One pass. What fails for a while is thrown, and nothing is lost by it. */
  async tick(): Promise<Tick> {
    await this.#ready();
    const open = await this.#waits.open();
    const rollouts: FoldedRollout[] = [];
    for (const { rollout } of await this.#log.list(UNFINISHED_AMONG)) {
      const known = this.#folded.get(rollout);
      // What has ended takes no more events.
      const folded = known !== undefined && isFinished(known) ? known : await this.#read(rollout);
      if (folded !== undefined) rollouts.push(folded);
    }
    const active = rollouts.findLast((one) => !isFinished(one));
    const answered = await this.#answerEnded(open, rollouts);
    try {
      const pushed = await this.#newcomer(open, active);
      if (active === undefined)
        return pushed === undefined ? { ...NOTHING, moved: answered } : await this.#begin(pushed);
      return await this.#pass(active, open, pushed);
    } catch (failure) {
      // Somebody else has written meanwhile: the next pass reads it.
      if (failure instanceof AppendConflict) return { ...NOTHING, rollout: active?.id, moved: true };
      throw failure;
    }
  }

  /**
   * Something may have happened (an event of the cloud): look again soon. What is true is read by the pass, which comes
   * without hints too; many hints are one.
   */
  hint(): void {
    this.#wake.abort();
  }

  /** Passes until `signal`, driving the clocks that are waited for. What fails is logged and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const { log, time } = this.#options;
    const drives = new Map<string, Promise<void>>();
    const wall = this.#options.regions[0].target;
    for (let atOnce = 0; !signal.aborted;) {
      this.#wake = new AbortController();
      let waits: readonly Wait[] = [];
      try {
        const tick = await this.tick();
        atOnce = tick.moved ? atOnce + 1 : 0;
        if (tick.moved && atOnce < MOVES_AT_ONCE_MAX) continue;
        ({ waits } = tick);
      } catch (failure) {
        log.warn("A pass over the rollout failed; it is tried again.", { failure: messageOf(failure) });
      }
      for (const wait of waits) {
        const { target } = this.#region(wait.target);
        if (!wait.drive || target.controlUrl === undefined || drives.has(wait.target)) continue;
        drives.set(
          wait.target,
          this.#drive(target, wait.timeMs, signal).finally(() => drives.delete(wait.target)),
        );
      }
      const untilWall = Math.min(
        Infinity,
        ...waits.filter(({ target }) => target === wall.name).map(({ timeMs }) => timeMs),
      );
      // An aborted wait is how this ends, and how a hint is heard.
      const ended = AbortSignal.any([signal, this.#wake.signal]);
      await Promise.race([time.waitUntil(wall, untilWall, ended).catch(() => {}), ...drives.values()]);
      if (this.#wake.signal.aborted) await this.#options.clock.sleep(HINTS_MS, signal).catch(() => {});
    }
    await Promise.allSettled(drives.values());
  }

  /** Runs a driven target to a time, once a rollout waits for it. */
  async #drive(target: Target, timeMs: number, signal: AbortSignal): Promise<void> {
    try {
      this.#running.set(target.name, await this.#options.time.now(target));
      await this.#options.time.waitUntil(target, timeMs, signal);
    } catch (failure) {
      if (!signal.aborted)
        this.#options.log.warn("A driven region could not be run; it is tried again.", {
          target: target.name,
          failure: messageOf(failure),
        });
    } finally {
      this.#running.delete(target.name);
    }
  }

  async #ready(): Promise<void> {
    if (this.#isReady) return;
    await this.#log.ensure();
    for (const region of this.#options.regions)
      await new EvidenceStore(region.dynamodb, region.target.name).ensure(this.#options.clock);
    this.#isReady = true;
  }

  async #read(id: string): Promise<FoldedRollout | undefined> {
    const folded = await readRollout(this.#log, id, this.#folded.get(id));
    if (folded !== undefined) this.#folded.set(id, folded);
    for (const old of [...this.#folded.keys()].slice(0, -2 * UNFINISHED_AMONG)) this.#folded.delete(old);
    return folded;
  }

  async #append(folded: FoldedRollout, record: RolloutRecord): Promise<FoldedRollout> {
    const after = foldEntry(folded, await this.#log.append(folded.last, record));
    this.#folded.set(after.id, after);
    return after;
  }

  /** Answers waits of executions whose rollout has ended, or never began; true where there was one. */
  async #answerEnded(open: readonly OpenWait[], rollouts: readonly FoldedRollout[]): Promise<boolean> {
    let answered = false;
    for (const wait of open) {
      const own = rollouts.find(
        ({ first }) => "executionId" in first && first.executionId === wait.executionId,
      );
      if (own === undefined || !isFinished(own)) continue;
      const { first, planned } = own;
      const phase = planned?.rollout.phase;
      const because =
        phase?.phase === "done"
          ? phase.because
          : "because" in first
            ? first.because
            : "its rollout has ended";
      const approved =
        first.kind === "nothingToDo" || (phase?.phase === "done" && phase.outcome === "promoted");
      answered = (await this.#waits.answer(wait, approved, because)) || answered;
    }
    return answered;
  }

  /** The execution that stands at the first wait and has no rollout yet. */
  async #newcomer(
    open: readonly OpenWait[],
    active: FoldedRollout | undefined,
  ): Promise<Newcomer | undefined> {
    const wait = open.find(({ stage }) => stage === "Canary");
    if (wait === undefined || wait.executionId === active?.planned?.record.executionId) return undefined;
    const { commit, mode } = await this.#waits.execution(wait.executionId);
    const rollout = rolloutId(commit, wait.executionId);
    if ((await this.#read(rollout)) !== undefined) return undefined;
    return { rollout, commit, mode, executionId: wait.executionId };
  }

  async #begin({ rollout, commit, executionId }: Newcomer): Promise<Tick> {
    const { regions, pipeline } = this.#options;
    const release = await this.#kept.read(releaseKey(commit), ReleaseManifest);
    const record: RolloutRecord =
      release === undefined
        ? {
            kind: "refused",
            executionId,
            commit,
            because: `publish has written no release of ${commit.slice(0, 12)} (${releaseKey(commit)} is not in ${regions[0].target.artifactBucket}); repeat the push`,
          }
        : await planRollout({
            rollout,
            pipeline,
            executionId,
            release,
            policy: release.policy ?? this.#options.policy,
            regions,
            signers: this.#options.signers,
            seedOf: (target) => this.#seedOf(rollout, target),
            times: () => this.#times(),
            knownGoodBy: (target, components) => knownGoodBy(this.#log, target, components),
          });
    let folded = foldEntry(undefined, await this.#log.create(rollout, commit, record));
    const override = await findOverride(regions[0].s3, regions[0].target.artifactBucket, commit);
    if (override !== undefined) {
      const { stage, who, why } = override;
      folded = await this.#append(folded, { kind: "override", stage, who, why });
    }
    this.#folded.set(rollout, folded);
    this.#options.log.info("A rollout begins.", { rollout, commit, how: record.kind });
    return { rollout, phase: folded.planned?.rollout.phase.phase, moved: true, waits: [] };
  }

  async #pass(active: FoldedRollout, open: readonly OpenWait[], pushed: Newcomer | undefined): Promise<Tick> {
    invariant(active.planned !== undefined, `rollout ${active.id} has no plan`);
    const now = await this.#times();
    const seen = await this.#gather(active, active.planned.rollout, now, pushed);
    // Time alone is worth recording only where it changes something.
    const step = next(active.planned.rollout, seen, now);
    for (const sentence of step.refused) this.#options.log.warn(sentence, { rollout: active.id });
    const recorded =
      seen.length > 0 || !isSameButTime(active.planned.rollout, step.rollout)
        ? await this.#append(active, { kind: "told", evidence: [...seen], now })
        : active;
    const results = await this.#act(recorded, step.rollout, open);
    const after =
      results.length > 0
        ? await this.#append(recorded, { kind: "told", evidence: results, now: await this.#times() })
        : recorded;
    // Where nothing was recorded the rollout still stands at the present time, and its waits count from there.
    const rollout = after === active ? step.rollout : (after.planned?.rollout ?? step.rollout);
    return {
      rollout: after.id,
      phase: rollout.phase.phase,
      moved: after !== active,
      waits: actionsOf(rollout).filter((action): action is Wait => !isDeed(action)),
    };
  }

  /** What is new: the push, the execution's end, and what is seen of the devices. */
  async #gather(
    folded: FoldedRollout,
    rollout: Rollout,
    now: Times,
    pushed: Newcomer | undefined,
  ): Promise<Evidence[]> {
    const evidence: Evidence[] = [];
    const release = pushed?.commit.slice(0, 12);
    // The same commit pushed through again waits in its execution: for the rollout it is nothing newer.
    if (
      pushed !== undefined &&
      release !== undefined &&
      ![rollout.queued, rollout.plan.release].includes(release)
    )
      evidence.push({ kind: "pushed", release, mode: pushed.mode });
    const { phase } = rollout.phase;
    const executionId = folded.planned?.record.executionId ?? "";
    if (phase !== "rollingBack" && phase !== "done") {
      const { status } = await this.#waits.execution(executionId);
      if (["Stopped", "Stopping", "Failed", "Cancelled", "Superseded"].includes(status))
        evidence.push({
          kind: "rollbackRequested",
          by: "the pipeline",
          reason: `its execution ${executionId} is ${status}`,
        });
    }
    for (const { name } of rollout.plan.targets) {
      const region = this.#region(name);
      const policyOf = () => this.#policyOf(folded);
      this.#observer.prepare(folded, rollout, region, policyOf);
      if (this.#running.has(name) || phase === "done") continue;
      evidence.push(...(await this.#observer.observe(folded, rollout, region, now, policyOf)));
    }
    return evidence;
  }

  /** Carries out what is wanted. One that fails does not hold up the others: it stays wanted. */
  async #act(folded: FoldedRollout, rollout: Rollout, open: readonly OpenWait[]): Promise<Evidence[]> {
    const results: Evidence[] = [];
    for (const deed of Object.values(rollout.outbox)) {
      if ("target" in deed && this.#running.has(deed.target)) continue;
      try {
        const result = await carryOut(deed, folded, open, this.#deeds);
        if (result !== undefined) results.push(result);
      } catch (failure) {
        this.#options.log.warn("Something could not be done; it is tried again.", {
          rollout: folded.id,
          key: deed.key,
          failure: messageOf(failure),
        });
      }
    }
    return results;
  }

  #policyOf(folded: FoldedRollout): Policy {
    return parsePolicy(folded.planned?.record.policy ?? "");
  }

  async #times(): Promise<Record<string, number>> {
    const times: Record<string, number> = {};
    for (const { target } of this.#options.regions)
      times[target.name] = this.#running.get(target.name) ?? (await this.#options.time.now(target));
    return times;
  }

  #seedOf(rollout: string, target: string): Promise<string> {
    const index = this.#options.regions.findIndex((region) => region.target.name === target);
    return this.#log.seed(rollout, index, this.#options.newSeed());
  }

  #region(target: string): Region {
    const region = this.#options.regions.find((one) => one.target.name === target);
    if (region === undefined)
      throw new ControllerError(
        `a rollout goes to the target ${target}, which this controller does not know; give it to COALMINE_TARGETS`,
      );
    return region;
  }
}

interface Newcomer {
  readonly rollout: string;
  readonly commit: string;
  readonly executionId: string;
  readonly mode: "queue" | "supersede";
}

export class ControllerError extends CoalmineError {
  readonly code = "ERR_CONTROLLER_TARGETS";
}

/** Short enough to type, and another one when a commit is pushed through again. */
function rolloutId(commit: string, executionId: string): string {
  return `${commit.slice(0, 12)}-${executionId.slice(0, 8)}`;
}

function isSameButTime(a: Rollout, b: Rollout): boolean {
  const bare = ({ now: _now, plan: _plan, ...rest }: Rollout) => JSON.stringify(rest);
  return bare(a) === bare(b);
}

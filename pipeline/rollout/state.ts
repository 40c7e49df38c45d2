import { InvariantError } from "@coalmine/runtime";
import type { StepFinding } from "../judge/wave-step.ts";
import type { Deed, WaitStage } from "./action.ts";
import { RolloutPlan, type RolloutTarget } from "./plan.ts";

/** One time per target, in milliseconds. */
export type Times = Record<string, number>;

export type Outcome = "promoted" | "halted" | "inconclusive" | "failed" | "superseded";

interface Active<Name extends string> {
  phase: Name;
  since: Times;
}

/** Phases that a person can hold. */
export type Holdable =
  | Active<"planned">
  | Active<"drawing">
  | Active<"canary">
  | Active<"soaking">
  | Active<"awaitingPromotion">
  | (Active<"waves"> & { wave: number })
  | Active<"verifying">;

export type Phase =
  | Holdable
  | (Active<"held"> & { inner: Holdable; by: string; because: string })
  /** The judge could not decide: a person has to. */
  | (Active<"inconclusive"> & { because: string })
  | (Active<"rollingBack"> & { outcome: Outcome; because: string })
  /** `stragglers` have not reported what their group is told to run; they will get it when they come back. */
  | (Active<"done"> & { outcome: Outcome; because: string; stragglers: { target: string; thing: string }[] });

/** The revision that a group was last told to run. */
export interface GroupDeployment {
  set: "candidate" | "lastGood";
  key: string;
  attempt: number;
  /** Known once the cloud has answered. */
  id: string | undefined;
}

export interface TargetState {
  seed: string | undefined;
  /** Every device in the order in which it gets the release; the first `canaryCount` are the canary. */
  order: string[];
  canaryCount: number;
  /** When the canary was told to take the release: looks count from here. */
  assignedAtMs: number | undefined;
  /** Devices in a group that was told to run the candidate, whether they have heard of it or not. */
  exposed: string[];
  groups: { canary: GroupDeployment | undefined; main: GroupDeployment | undefined };
  /** What each device last reported. */
  reports: Record<string, { set: string; deploymentId: string }>;
  verdict:
    | {
        verdict: "PROMOTE" | "HALT" | "WAIT" | "INCONCLUSIVE";
        because: string;
        digest: string;
        elapsedMs: number;
      }
    | undefined;
  /** When the present wave began here; it waits for the window. */
  waveBegunAtMs: number | undefined;
  /** When the present wave had arrived in full. */
  waveArrivedAtMs: number | undefined;
  /** Since when the present wave, or verification, is watched, and what was seen of it last. */
  watch:
    | {
        fromMs: number;
        seen: { atMs: number; verdict: "HALT" | "WELL"; because: string; digest: string } | undefined;
      }
    | undefined;
  /** What waves have added to the evidence, each known by when it began. */
  steps: { fromMs: number; found: StepFinding }[];
}

/** What a person asked for, and why. */
export interface Wish {
  by: string;
  reason: string;
}

/** A rollout: its plan, and all that evidence has made of it. */
export interface Rollout {
  plan: RolloutPlan;
  phase: Phase;
  /** The latest time known of each target; time never runs backwards here. */
  now: Times;
  targets: Record<string, TargetState>;
  /** Deeds that are wanted and not known to be done, by key. */
  outbox: Record<string, Deed>;
  /** Keys of deeds that are done. */
  done: string[];
  answered: WaitStage[];
  /** A person has promoted: from here on the version counts as judged. */
  promotedBy: string | undefined;
  /** Two people let it through unjudged: one opens the lane, another one completes it. */
  emergency: { opened: Wish; completed: Wish | undefined } | undefined;
  /** How often a person has held it. */
  holds: number;
  /** A newer release that starts when this rollout ends. */
  queued: string | undefined;
}

/** A rollout at its beginning. */
export function startRollout(plan: RolloutPlan, now: Times): Rollout {
  return {
    plan: RolloutPlan.parse(plan),
    phase: { phase: "planned", since: { ...now } },
    now: { ...now },
    targets: Object.fromEntries(
      plan.targets.map(({ name }) => [
        name,
        {
          seed: undefined,
          order: [],
          canaryCount: 0,
          assignedAtMs: undefined,
          exposed: [],
          groups: { canary: undefined, main: undefined },
          reports: {},
          verdict: undefined,
          waveBegunAtMs: undefined,
          waveArrivedAtMs: undefined,
          watch: undefined,
          steps: [],
        },
      ]),
    ),
    outbox: {},
    done: [],
    answered: [],
    promotedBy: undefined,
    emergency: undefined,
    holds: 0,
    queued: undefined,
  };
}

/** Each target's plan and state together. */
export function targetsOf(rollout: Rollout): { plan: RolloutTarget; state: TargetState; now: number }[] {
  return rollout.plan.targets.flatMap((plan) => {
    const state = rollout.targets[plan.name];
    return state === undefined ? [] : [{ plan, state, now: rollout.now[plan.name] ?? 0 }];
  });
}

/** Two people have let it through: no pre-period and no verdict is waited for. */
export function isLetThrough({ emergency }: Rollout): boolean {
  return emergency?.completed !== undefined;
}

/** Devices on a version that nobody has judged, counting those that are offline or only on their way. */
export function unjudgedDevices(rollout: Rollout, target: string): number {
  return rollout.promotedBy === undefined ? (rollout.targets[target]?.exposed.length ?? 0) : 0;
}

/** The devices of a wave, in the order of the draw; wave shares are of the devices beside the canary. */
export function waveThings(plan: RolloutTarget, state: TargetState, wave: number): string[] {
  const rest = state.order.slice(state.canaryCount);
  const until = (index: number) => Math.ceil((plan.policy.waves[index] ?? (index < 0 ? 0 : 1)) * rest.length);
  return wave >= plan.policy.waves.length ? [] : rest.slice(until(wave - 1), until(wave));
}

/** The judge has not spoken yet. */
export function isUndecided({ verdict }: TargetState): boolean {
  return verdict === undefined || verdict.verdict === "WAIT";
}

/** Why a target turns the rollout back; the judge is heard in every phase, and so is whoever watches a wave. */
export function haltOf({ verdict, watch }: TargetState): string | undefined {
  if (verdict?.verdict === "HALT") return verdict.because;
  return watch?.seen?.verdict === "HALT" ? watch.seen.because : undefined;
}

/** Share of these devices that report the candidate. */
export function arrivedShare(plan: RolloutTarget, state: TargetState, things: readonly string[]): number {
  return things.length === 0
    ? 1
    : things.filter((thing) => state.reports[thing]?.set === plan.candidate.id).length / things.length;
}

/** Whether a device reports the last good set by a rollback's own revision; an older report would say nothing. */
export function isBack(plan: RolloutTarget, { groups, reports }: TargetState, thing: string): boolean {
  const told = [groups.canary, groups.main].filter((group) => group !== undefined);
  const report = reports[thing];
  return (
    told.every(({ id }) => id !== undefined) &&
    report?.set === plan.lastGood.id &&
    told.some(({ id }) => id === report.deploymentId)
  );
}

/** The end of a switch that names every case. */
export function unreachable(value: never): never {
  throw new InvariantError(`no such case: ${JSON.stringify(value)}`);
}

import { InvariantError } from "@coalmine/runtime";
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
        },
      ]),
    ),
    outbox: {},
    done: [],
    answered: [],
    promotedBy: undefined,
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

/** Share of these devices that report the candidate. */
export function arrivedShare(plan: RolloutTarget, state: TargetState, things: readonly string[]): number {
  return things.length === 0
    ? 1
    : things.filter((thing) => state.reports[thing]?.set === plan.candidate.id).length / things.length;
}

/** The end of a switch that names every case. */
export function unreachable(value: never): never {
  throw new InvariantError(`no such case: ${JSON.stringify(value)}`);
}

import { failureOf, isReachable, type DeviceTally } from "../evidence/tally.ts";
import type { RolloutTarget } from "../rollout/plan.ts";
import { isBack, type Rollout, type TargetState } from "../rollout/state.ts";

/** Where a device is on its way, in the order in which a person reads it. */
export const deviceStages = [
  /** Its group has been told nothing new, or it has not joined that group yet. */
  "notTold",
  /** Its group has the revision, and it has not begun. */
  "told",
  /** It downloads or installs. */
  "inProgress",
  "onCandidate",
  /** Rolled back: it reports the last good set by the rollback's own revision. */
  "back",
  /** Its deployment failed, or it crashes, is broken or unhealthy, wherever it is on its way. */
  "failed",
  /** Connected, but without heartbeats. */
  "silent",
  /** Not connected, and not where it should be. */
  "offline",
] as const;
export type DeviceStage = (typeof deviceStages)[number];

export interface StageSince {
  readonly stage: DeviceStage;
  readonly sinceMs: number;
}

/** The stage of one device at the target's time, from what the rollout knows and what was seen of the device. */
export function stageOf(
  rollout: Rollout,
  plan: RolloutTarget,
  state: TargetState,
  thing: string,
  seen: DeviceTally | undefined,
  nowMs: number,
): StageSince {
  const phaseSinceMs = rollout.phase.since[plan.name] ?? nowMs;
  if (!isTold(rollout, plan, state, thing)) return { stage: "notTold", sinceMs: phaseSinceMs };
  const lastMs = Math.max(seen?.last?.atMs ?? -Infinity, seen?.connection?.atMs ?? -Infinity);
  const heardMs = Number.isFinite(lastMs) ? lastMs : (state.assignedAtMs ?? phaseSinceMs);
  const failure = failureOf(seen, nowMs);
  if (failure === "silent") return { stage: "silent", sinceMs: seen?.last?.atMs ?? heardMs };
  if (failure !== undefined) return { stage: "failed", sinceMs: seen?.job?.atMs ?? phaseSinceMs };
  if (isGoingBack(rollout) ? isBack(plan, state, thing) : state.reports[thing]?.set === plan.candidate.id)
    return { stage: isGoingBack(rollout) ? "back" : "onCandidate", sinceMs: phaseSinceMs };
  if (!isReachable(seen, nowMs)) return { stage: "offline", sinceMs: heardMs };
  return seen?.job?.status === "IN_PROGRESS"
    ? { stage: "inProgress", sinceMs: seen.job.atMs }
    : { stage: "told", sinceMs: phaseSinceMs };
}

/** Whoever is told of the candidate is told of the way back as well. */
function isTold(rollout: Rollout, plan: RolloutTarget, state: TargetState, thing: string): boolean {
  const isMoving = Object.values(rollout.outbox).some(
    (deed) => deed.kind === "moveThings" && deed.group === plan.canaryGroup && deed.things.includes(thing),
  );
  const isMade = [state.groups.canary, state.groups.main].some((group) => group?.id !== undefined);
  return state.exposed.includes(thing) && isMade && !isMoving;
}

function isGoingBack({ phase }: Rollout): boolean {
  return phase.phase === "rollingBack" || (phase.phase === "done" && phase.outcome !== "promoted");
}

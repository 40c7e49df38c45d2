import type { RolloutTarget } from "./plan.ts";
import type { Wait } from "./action.ts";
import { opensAt } from "./windows.ts";
import { deadlinesOf } from "./deadlines.ts";
import { isDrawAsked, isMoved } from "./enter.ts";
import { drawFromMs, isWaveSoaked, nextWatchMs, unjudgedUntilMs } from "./soaks.ts";
import {
  arrivedShare,
  isLetThrough,
  isUndecided,
  targetsOf,
  unreachable,
  waveThings,
  type Rollout,
  type TargetState,
} from "./state.ts";

/** When to come back to each target, and whether with a look: the rollout does nothing between evidence and time. */
export function waitsOf(rollout: Rollout): Wait[] {
  if (rollout.phase.phase === "done") return [];
  const deadlines = deadlinesOf(rollout);
  return targetsOf(rollout).map(({ plan, state, now }) => {
    const { lookEveryMs, pulseEveryMs } = plan.policy;
    const drive = isAwaited(rollout, plan.name);
    const deadline = deadlines.find(({ target }) => target === plan.name)?.atMs ?? Infinity;
    const assigned = state.assignedAtMs;
    const judging = assigned !== undefined && rollout.phase.phase !== "rollingBack";
    const nextLook = judging
      ? assigned + (Math.floor((now - assigned) / lookEveryMs) + 1) * lookEveryMs
      : Infinity;
    const beginsAt = beginsAtMs(rollout, plan, state, now);
    const unjudgedUntil = isLetThrough(rollout) ? unjudgedUntilMs(plan, state) : -Infinity;
    // Where devices are awaited, they are asked more often than they are judged.
    const pulse = beginsAt > now || isSoaking(rollout, plan, state) ? Infinity : now + pulseEveryMs;
    const watch =
      state.watch === undefined || !judging ? Infinity : nextWatchMs(plan, state.watch.fromMs, now);
    const next = Math.min(
      ...[deadline, beginsAt, unjudgedUntil, watch, pulse].map((time) => (time > now ? time : Infinity)),
      nextLook,
    );
    const timeMs = Number.isFinite(next) ? next : now + pulseEveryMs;
    const kind = nextLook === timeMs ? "judgeAt" : "wakeAt";
    return {
      kind,
      key: `${rollout.plan.rollout}/${plan.name}/${kind}/${timeMs}`,
      target: plan.name,
      timeMs,
      drive,
    };
  });
}

/** When a draw, a canary that is drawn and moved, or a wave may begin; -Infinity where nothing waits to begin. */
export function beginsAtMs(rollout: Rollout, plan: RolloutTarget, state: TargetState, now: number): number {
  const { phase } = rollout;
  const { windows } = plan.policy;
  if (phase.phase === "planned" && !isDrawAsked(rollout, plan.name)) return drawFromMs(rollout, plan);
  const isWaiting =
    phase.phase === "waves"
      ? state.waveBegunAtMs === undefined && waveThings(plan, state, phase.wave).length > 0
      : ["planned", "drawing"].includes(phase.phase) &&
        state.assignedAtMs === undefined &&
        isMoved(rollout, plan.name);
  return isWaiting ? opensAt(windows, now) : -Infinity;
}

/** Nothing but looks is awaited: in all of the soak, and before it where the whole canary has arrived already. */
function isSoaking({ phase: { phase } }: Rollout, plan: RolloutTarget, state: TargetState): boolean {
  if (phase === "soaking") return true;
  return ["planned", "drawing", "canary"].includes(phase) && hasCanary(plan, state);
}

function hasCanary(plan: RolloutTarget, state: TargetState): boolean {
  return (
    state.assignedAtMs !== undefined &&
    arrivedShare(plan, state, state.order.slice(0, state.canaryCount)) === 1
  );
}

/** Whether the rollout cannot go on before something happens in this target. While a person is awaited, no clock runs. */
function isAwaited(rollout: Rollout, target: string): boolean {
  const own = targetsOf(rollout).find(({ plan }) => plan.name === target);
  if (own === undefined) return false;
  const { plan, state, now } = own;
  const { phase } = rollout;
  const isSoakOpen = isLetThrough(rollout) ? now < unjudgedUntilMs(plan, state) : isUndecided(state);
  switch (phase.phase) {
    case "planned":
      return isSoakOpen;
    case "canary":
      return !hasCanary(plan, state) || isSoakOpen;
    case "soaking":
      return isSoakOpen;
    case "waves":
      return waveThings(plan, state, phase.wave).length > 0 && !isWaveSoaked(rollout, plan, state);
    case "drawing":
    case "verifying":
    case "rollingBack":
      return true;
    case "awaitingPromotion":
    case "inconclusive":
    case "held":
    case "done":
      return false;
    default:
      return unreachable(phase);
  }
}

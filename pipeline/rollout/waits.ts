import { quietUntilMs } from "./plan.ts";
import type { Wait } from "./action.ts";
import { deadlinesOf } from "./deadlines.ts";
import { arrivedShare, targetsOf, unreachable, waveThings, type Rollout } from "./state.ts";

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
    const quietUntil =
      rollout.phase.phase === "planned" ? quietUntilMs(plan, rollout.phase.since[plan.name] ?? 0) : Infinity;
    // Where devices are awaited, they are asked more often than they are judged.
    const pulse = Number.isFinite(quietUntil) || isSoaking(rollout) ? Infinity : now + pulseEveryMs;
    const next = Math.min(
      ...[deadline, quietUntil, pulse].map((time) => (time > now ? time : Infinity)),
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

function isSoaking(rollout: Rollout): boolean {
  return rollout.phase.phase === "soaking";
}

/** Whether the rollout cannot go on before something happens in this target. While a person is awaited, no clock runs. */
function isAwaited(rollout: Rollout, target: string): boolean {
  const own = targetsOf(rollout).find(({ plan }) => plan.name === target);
  if (own === undefined) return false;
  const { plan, state, now } = own;
  const { phase } = rollout;
  switch (phase.phase) {
    case "planned":
      return now < quietUntilMs(plan, phase.since[target] ?? 0);
    case "canary":
      return arrivedShare(plan, state, state.order.slice(0, state.canaryCount)) < 1;
    case "soaking":
      return state.verdict?.verdict !== "PROMOTE";
    case "waves":
      return (
        waveThings(plan, state, phase.wave).length > 0 &&
        !isWaveSoaked(state.waveArrivedAtMs, plan.policy.waveSoakMs, now)
      );
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

function isWaveSoaked(arrivedAtMs: number | undefined, waveSoakMs: number, now: number): boolean {
  return arrivedAtMs !== undefined && now >= arrivedAtMs + waveSoakMs;
}

import { quietUntilMs, type RolloutTarget } from "./plan.ts";
import { isLetThrough, type Rollout, type TargetState } from "./state.ts";

/** How long things are let be before the rollout goes on; what two people have let through waits for less. */

/** From when on a target's canary may be drawn. */
export function drawFromMs(rollout: Rollout, plan: RolloutTarget): number {
  return isLetThrough(rollout) ? 0 : quietUntilMs(plan, rollout.phase.since[plan.name] ?? 0);
}

/** Until when a canary soaks that waits for no verdict; as with looks, its time counts from its assignment. */
export function unjudgedUntilMs({ policy }: RolloutTarget, { assignedAtMs }: TargetState): number {
  return (assignedAtMs ?? Infinity) + (policy.emergency?.soakMs ?? 0);
}

/** Whether a target's wave has arrived, and been there for its time. */
export function isWaveSoaked(
  rollout: Rollout,
  { policy }: RolloutTarget,
  { waveArrivedAtMs }: TargetState,
  now: number,
): boolean {
  const soakMs = (isLetThrough(rollout) ? policy.emergency?.waveSoakMs : undefined) ?? policy.waveSoakMs;
  return waveArrivedAtMs !== undefined && now >= waveArrivedAtMs + soakMs;
}

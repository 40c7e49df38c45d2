import { quietUntilMs, type RolloutTarget } from "./plan.ts";
import { isLetThrough, type Rollout, type TargetState } from "./state.ts";
import { opensAt } from "./windows.ts";

/** How long things are let be before the rollout goes on; what two people have let through waits for less. */

/** From when on a target's canary may be drawn: windows are waited for also in an emergency, the pre-period is not. */
export function drawFromMs(rollout: Rollout, plan: RolloutTarget): number {
  const now = rollout.now[plan.name] ?? 0;
  const quietAtMs = isLetThrough(rollout) ? now : quietUntilMs(plan, rollout.phase.since[plan.name] ?? 0);
  return opensAt(plan.policy.windows, Math.max(quietAtMs, now));
}

/** Until when a canary soaks that waits for no verdict; as with looks, its time counts from its assignment. */
export function unjudgedUntilMs({ policy }: RolloutTarget, { assignedAtMs }: TargetState): number {
  return (assignedAtMs ?? Infinity) + (policy.emergency?.soakMs ?? 0);
}

/** Whether a target's wave has arrived, been there for its time, and was seen well at the end of it. */
export function isWaveSoaked(
  rollout: Rollout,
  { policy }: RolloutTarget,
  { waveArrivedAtMs, watch }: TargetState,
): boolean {
  const soakMs = (isLetThrough(rollout) ? policy.emergency?.waveSoakMs : undefined) ?? policy.waveSoakMs;
  const wellAtMs = watch?.seen?.atMs ?? -Infinity;
  return waveArrivedAtMs !== undefined && wellAtMs >= waveArrivedAtMs + soakMs;
}

/** When the devices that have the release are looked at next: at every pulse since their wave began. */
export function nextWatchMs({ policy }: RolloutTarget, fromMs: number, now: number): number {
  return fromMs + (Math.floor((now - fromMs) / policy.pulseEveryMs) + 1) * policy.pulseEveryMs;
}

/** When a wave that began at this time is compared with those that it left: it depends on nothing that the wave does. */
export function stepAtMs({ policy }: RolloutTarget, fromMs: number): number {
  return fromMs + Math.ceil(policy.waveSoakMs / policy.pulseEveryMs) * policy.pulseEveryMs;
}

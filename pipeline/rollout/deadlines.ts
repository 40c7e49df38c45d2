import type { RolloutPolicy } from "./plan.ts";
import { targetsOf, type Phase, type Rollout, type TargetState } from "./state.ts";
import { opensAt } from "./windows.ts";

export interface Deadline {
  readonly target: string;
  readonly name: string;
  readonly atMs: number;
  /** What happens when it passes. */
  readonly afterwards: string;
}

/** The wait that each phase has, its name in the policy, and what happens at its end. */
const waits = {
  planned: undefined,
  drawing: { name: "draw", afterwards: "the rollout fails before any device is touched" },
  canary: {
    name: "deploy",
    afterwards: "the soak goes on with those that arrived, or the canary is rolled back",
  },
  soaking: { name: "judge", afterwards: "the rollout is inconclusive and held for a person" },
  awaitingPromotion: { name: "approval", afterwards: "the canary is rolled back, since nobody promoted" },
  waves: {
    name: "wave",
    afterwards: "the next wave follows, or everything is rolled back, by how many arrived",
  },
  verifying: {
    name: "verify",
    afterwards: "it is promoted and stragglers are named, or everything is rolled back",
  },
  held: { name: "hold", afterwards: "everything is rolled back, since nobody resumed" },
  inconclusive: { name: "decide", afterwards: "the canary is rolled back, since nobody decided" },
  rollingBack: {
    name: "rollback",
    afterwards: "the rollout fails and names the devices that have not reported",
  },
  done: undefined,
} as const satisfies Record<Phase["phase"], { name: string; afterwards: string } | undefined>;

/** Every deadline of the present phase, one a target. */
export function deadlinesOf(rollout: Rollout): Deadline[] {
  const wait = waits[rollout.phase.phase];
  if (wait === undefined) return [];
  return targetsOf(rollout).map(({ plan, state }) => ({
    target: plan.name,
    name: wait.name,
    atMs: passesAtMs(wait.name, plan.policy, state, rollout.phase.since[plan.name] ?? 0),
    afterwards: wait.afterwards,
  }));
}

type WaitName = NonNullable<(typeof waits)[keyof typeof waits]>["name"];

function passesAtMs(
  name: WaitName,
  { horizonMs, lookEveryMs, deadlinesMs, windows }: RolloutPolicy,
  { waveBegunAtMs }: TargetState,
  sinceMs: number,
): number {
  // Two looks more than the horizon, so that the judge's own last word comes first.
  if (name === "judge") return sinceMs + horizonMs + 2 * lookEveryMs;
  if (name === "draw") return openingAfter(windows, sinceMs + deadlinesMs.draw);
  if (name === "wave") return (waveBegunAtMs ?? openingAfter(windows, sinceMs)) + deadlinesMs.wave;
  return sinceMs + deadlinesMs[name];
}

/** Where windows never open, nothing is waited for. */
function openingAfter(windows: RolloutPolicy["windows"], timeMs: number): number {
  const atMs = opensAt(windows, timeMs);
  return Number.isFinite(atMs) ? atMs : timeMs;
}

/** Whether the target's deadline of the present phase has passed. */
export function isOverdue(rollout: Rollout, target: string): boolean {
  const deadline = deadlinesOf(rollout).find((one) => one.target === target);
  return deadline !== undefined && (rollout.now[target] ?? 0) >= deadline.atMs;
}

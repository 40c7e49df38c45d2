import { targetsOf, type Phase, type Rollout } from "./state.ts";

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
  return targetsOf(rollout).map(({ plan: { name, policy } }) => ({
    target: name,
    name: wait.name,
    // Two looks more than the horizon, so that the judge's own last word comes first.
    atMs:
      (rollout.phase.since[name] ?? 0) +
      (wait.name === "judge" ? policy.horizonMs + 2 * policy.lookEveryMs : policy.deadlinesMs[wait.name]),
    afterwards: wait.afterwards,
  }));
}

/** Whether the target's deadline of the present phase has passed. */
export function isOverdue(rollout: Rollout, target: string): boolean {
  const deadline = deadlinesOf(rollout).find((one) => one.target === target);
  return deadline !== undefined && (rollout.now[target] ?? 0) >= deadline.atMs;
}

import type { Action } from "./action.ts";
import { advance } from "./advance.ts";
import { apply } from "./apply.ts";
import type { Evidence } from "./evidence.ts";
import type { RolloutPlan } from "./plan.ts";
import { startRollout, type Rollout, type Times } from "./state.ts";
import { waitsOf } from "./waits.ts";

export interface Step {
  readonly rollout: Rollout;
  /** Everything that is wanted and not known to be done, and when to come back. */
  readonly actions: readonly Action[];
  /** Sentences to people whose wish could not be granted. */
  readonly refused: readonly string[];
}

/** More phases than a rollout can go through at once. */
const PHASES_AT_ONCE_MAX = 40;

/**
 * The rollout after some evidence, at one time per target. Pure: the rollout that is handed in is not changed, and the
 * same evidence at the same times gives the same rollout, so that a controller that crashed reads its events again and
 * is where it was. Without evidence only time has passed.
 * @see docs/spec/rollout.md
 */
export function next(rollout: Rollout, evidence: readonly Evidence[], now: Times): Step {
  const { plan, ...changing } = rollout;
  // The plan never changes, and is the larger part.
  const after: Rollout = { plan, ...structuredClone(changing) };
  for (const [target, time] of Object.entries(now))
    if (after.now[target] !== undefined) after.now[target] = Math.max(after.now[target], time);
  const refused = evidence.flatMap((one) => apply(after, one) ?? []);
  for (let moves = 0; moves < PHASES_AT_ONCE_MAX && advance(after); moves++);
  return { rollout: after, actions: actionsOf(after), refused };
}

/** What a rollout wants as it stands. */
export function actionsOf(rollout: Rollout): Action[] {
  return [...Object.values(rollout.outbox), ...waitsOf(rollout)];
}

/** One event of a rollout, as it is kept. */
export interface RolloutEvent {
  readonly evidence: readonly Evidence[];
  readonly now: Times;
}

/** The rollout that these events make, from its beginning. */
export function replay(plan: RolloutPlan, startedAt: Times, events: readonly RolloutEvent[]): Rollout {
  return events.reduce(
    (rollout, { evidence, now }) => next(rollout, evidence, now).rollout,
    startRollout(plan, startedAt),
  );
}

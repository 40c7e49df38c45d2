import { waitStages, type Deed, type WaitStage } from "./action.ts";
import { rollbackDeployment } from "./deployment.ts";
import type { RolloutTarget } from "./plan.ts";
import { targetsOf, type Outcome, type Phase, type Rollout, type TargetState } from "./state.ts";

/**
 * Entering a phase: what is asked for on the way in. Everything here changes the rollout it is handed, which `next` has
 * copied; nothing is asked for twice under one key. Each returns true: the rollout has moved.
 */

export function enter(rollout: Rollout, phase: Phase): true {
  rollout.phase = phase;
  return true;
}

export function since(rollout: Rollout): Record<string, number> {
  return { ...rollout.now };
}

export function want(rollout: Rollout, deed: Deed): void {
  if (!rollout.done.includes(deed.key)) rollout.outbox[deed.key] ??= deed;
}

export function answer(rollout: Rollout, stage: WaitStage, approved: boolean, sentence: string): void {
  if (rollout.answered.includes(stage)) return;
  rollout.answered.push(stage);
  want(rollout, { kind: "answerApproval", key: keyOf(rollout, "answer", stage), stage, approved, sentence });
}

export function notify(rollout: Rollout, about: string, sentence: string): void {
  want(rollout, { kind: "notify", key: keyOf(rollout, "notify", about), about, sentence });
}

export function keyOf(rollout: Rollout, ...parts: (string | number)[]): string {
  return [rollout.plan.rollout, ...parts].join("/");
}

/** Asks for a new revision of a group. It counts as made from here on, since a lost answer does not unmake it. */
export function deploy(
  rollout: Rollout,
  plan: RolloutTarget,
  state: TargetState,
  role: "canary" | "main",
  set: "candidate" | "lastGood",
  because: string,
): void {
  const previous = state.groups[role];
  const attempt = previous?.set === set ? previous.attempt + 1 : 1;
  if (previous !== undefined) delete rollout.outbox[previous.key];
  const key = keyOf(rollout, plan.name, role, set, attempt);
  state.groups[role] = { set, key, attempt, id: undefined };
  want(rollout, {
    kind: "createDeployment",
    key,
    target: plan.name,
    group: role === "canary" ? plan.canaryGroup : plan.mainGroup,
    components:
      set === "candidate"
        ? plan.candidate.components
        : rollbackDeployment(plan.lastGood.components, plan.candidate.components),
    because,
  });
}

export function askForDraw(rollout: Rollout, plan: RolloutTarget): void {
  want(rollout, {
    kind: "draw",
    key: keyOf(rollout, plan.name, "draw"),
    target: plan.name,
    seedHash: plan.seedHash,
  });
}

/** Whether a target's draw is under way, or made: from then on it waits for no pre-period. */
export function isDrawAsked(rollout: Rollout, target: string): boolean {
  const key = keyOf(rollout, target, "draw");
  return rollout.outbox[key] !== undefined || rollout.done.includes(key);
}

/** Whether the drawn devices are in the canary group. */
export function isMoved(rollout: Rollout, target: string): boolean {
  return rollout.done.includes(keyOf(rollout, target, "move", "canary"));
}

/** Gives a target's canary, drawn and moved, the candidate; its looks count from here. */
export function deployCanary(
  rollout: Rollout,
  { plan, state, now }: ReturnType<typeof targetsOf>[number],
): void {
  state.assignedAtMs = now;
  state.exposed = state.order.slice(0, state.canaryCount);
  deploy(rollout, plan, state, "canary", "candidate", `canary of ${rollout.plan.release}`);
}

export function enterRollback(rollout: Rollout, outcome: Outcome, because: string): true {
  // What is asked for but not done would work against the way back; words to people stay.
  for (const [key, deed] of Object.entries(rollout.outbox))
    if (deed.kind !== "notify" && deed.kind !== "answerApproval" && deed.kind !== "cancelDeployment")
      delete rollout.outbox[key];
  const open = waitStages.find((stage) => !rollout.answered.includes(stage));
  if (open !== undefined) answer(rollout, open, false, because);
  const touched = targetsOf(rollout).filter(({ state }) => state.groups.canary !== undefined);
  if (touched.length === 0) return enterDone(rollout, outcome, because, []);
  enter(rollout, { phase: "rollingBack", since: since(rollout), outcome, because });
  notify(rollout, "rollingBack", `${rollout.plan.release} is being rolled back: ${because}`);
  for (const { plan, state } of touched)
    for (const role of ["canary", "main"] as const) {
      const group = state.groups[role];
      if (group === undefined) continue;
      if (group.id !== undefined)
        want(rollout, {
          kind: "cancelDeployment",
          key: keyOf(rollout, plan.name, "cancel", group.id),
          target: plan.name,
          deploymentId: group.id,
        });
      deploy(rollout, plan, state, role, "lastGood", `back to ${plan.lastGood.id}: ${because}`);
    }
  return true;
}

export function enterDone(
  rollout: Rollout,
  outcome: Outcome,
  because: string,
  stragglers: { target: string; thing: string }[],
): true {
  enter(rollout, { phase: "done", since: since(rollout), outcome, because, stragglers });
  const missing =
    stragglers.length === 0 ? "" : ` Not yet reported: ${nameSome(stragglers.map(({ thing }) => thing))}.`;
  notify(rollout, "done", `${rollout.plan.release} is ${outcome}: ${because}${missing}`);
  // Both groups run the same now: only the canary's own devices stay in its group.
  for (const { plan, state } of targetsOf(rollout)) returnToMain(rollout, plan, state);
  if (rollout.queued !== undefined)
    want(rollout, {
      kind: "startRollout",
      key: keyOf(rollout, "start", rollout.queued),
      release: rollout.queued,
    });
  return true;
}

/** The devices of the waves go back to the main group. */
export function returnToMain(rollout: Rollout, plan: RolloutTarget, state: TargetState): void {
  const things = state.exposed.filter((thing) => state.order.indexOf(thing) >= state.canaryCount);
  if (things.length > 0)
    want(rollout, {
      kind: "moveThings",
      key: keyOf(rollout, plan.name, "return"),
      target: plan.name,
      group: plan.mainGroup,
      things,
      exactly: false,
    });
}

export function nameSome(things: readonly string[]): string {
  return things.length <= 5
    ? things.join(", ")
    : `${things.slice(0, 5).join(", ")} and ${things.length - 5} more`;
}

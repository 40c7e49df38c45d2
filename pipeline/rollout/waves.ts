import { isOverdue } from "./deadlines.ts";
import {
  answer,
  deploy,
  enter,
  enterDone,
  enterRollback,
  keyOf,
  returnToMain,
  since,
  want,
} from "./enter.ts";
import { isWaveSoaked } from "./soaks.ts";
import type { RolloutTarget } from "./plan.ts";
import { arrivedShare, targetsOf, waveThings, type Rollout, type TargetState } from "./state.ts";
import { isOpen } from "./windows.ts";

/** The release counts as judged, and the first wave begins; true, since the rollout has moved. */
export function promote(rollout: Rollout, by: string, reason: string): true {
  rollout.promotedBy = by;
  answer(rollout, "Promote", true, `${by}: ${reason}`);
  enterWave(rollout, 0);
  return true;
}

/** A wave: in each target it begins now, or when the window opens. */
export function enterWave(rollout: Rollout, wave: number): void {
  enter(rollout, { phase: "waves", since: since(rollout), wave });
  for (const { state } of targetsOf(rollout)) {
    state.waveBegunAtMs = undefined;
    state.waveArrivedAtMs = undefined;
  }
  beginWave(rollout, wave);
}

/** Where a target's window is open, the next devices of the drawn order join the group that runs the release. */
function beginWave(rollout: Rollout, wave: number): void {
  for (const { plan, state, now } of targetsOf(rollout)) {
    const things = waveThings(plan, state, wave);
    if (things.length === 0 || state.waveBegunAtMs !== undefined || !isOpen(plan.policy.windows, now))
      continue;
    state.waveBegunAtMs = now;
    state.exposed.push(...things);
    state.watch = { fromMs: now, seen: undefined };
    moveWave(rollout, plan, wave, things);
  }
}

function moveWave(rollout: Rollout, plan: RolloutTarget, wave: number, things: string[]): void {
  want(rollout, {
    kind: "moveThings",
    key: keyOf(rollout, plan.name, "move", `wave-${wave}`),
    target: plan.name,
    group: plan.canaryGroup,
    things,
    exactly: false,
  });
}

/** A wave that was on its way when the rollout turned back: it may have had the candidate, so it has to report too. */
export function finishMoves(rollout: Rollout, plan: RolloutTarget, state: TargetState): void {
  for (const wave of plan.policy.waves.keys()) {
    const things = waveThings(plan, state, wave).filter((thing) => state.exposed.includes(thing));
    if (things.length > 0) moveWave(rollout, plan, wave, things);
  }
}

/** Goes on to the next wave when each target's has arrived and soaked; true where the rollout moved. */
export function advanceWave(rollout: Rollout, wave: number): boolean {
  beginWave(rollout, wave);
  let waiting = false;
  for (const { plan, state, now } of targetsOf(rollout)) {
    const things = waveThings(plan, state, wave);
    const share = arrivedShare(plan, state, things);
    if (share === 1) state.waveArrivedAtMs ??= now;
    if (things.length === 0 || isWaveSoaked(rollout, plan, state)) continue;
    if (!isOverdue(rollout, plan.name)) waiting = true;
    else if (share < plan.policy.arrivedShareMin)
      return enterRollback(rollout, "halted", tooFew(wave + 1, plan.name, share, things.length));
    else if (state.watch?.seen === undefined)
      return enterRollback(
        rollout,
        "failed",
        `nobody could look at wave ${wave + 1} of ${plan.name} in time`,
      );
  }
  if (waiting) return false;
  const last = Math.max(...rollout.plan.targets.map(({ policy }) => policy.waves.length)) - 1;
  if (wave < last) enterWave(rollout, wave + 1);
  else enterVerifying(rollout);
  return true;
}

/** The main group itself gets the release, so that devices that join later have it too. */
function enterVerifying(rollout: Rollout): void {
  answer(rollout, "Main", true, "every wave has the release");
  enter(rollout, { phase: "verifying", since: since(rollout) });
  for (const { plan, state, now } of targetsOf(rollout)) {
    state.exposed = [...state.order];
    state.watch = { fromMs: now, seen: undefined };
    deploy(
      rollout,
      plan,
      state,
      "main",
      "candidate",
      `${rollout.plan.release}, promoted by ${rollout.promotedBy ?? "?"}`,
    );
  }
}

/** Ends when every device reports the release, or with names at the deadline; true where the rollout moved. */
export function advanceVerifying(rollout: Rollout): boolean {
  let waiting = false;
  const stragglers: { target: string; thing: string }[] = [];
  for (const { plan, state } of targetsOf(rollout)) {
    const made = state.groups.main?.id !== undefined;
    if (made) returnToMain(rollout, plan, state);
    const missing = state.order.filter((thing) => state.reports[thing]?.set !== plan.candidate.id);
    const returned = rollout.outbox[keyOf(rollout, plan.name, "return")] === undefined;
    if (made && returned && missing.length === 0) continue;
    if (!isOverdue(rollout, plan.name)) {
      waiting = true;
      continue;
    }
    const share = arrivedShare(plan, state, state.order);
    if (!made || share < plan.policy.arrivedShareMin) {
      const because = made
        ? `only ${Math.round(share * 100)} % of ${plan.name} report the release`
        : `the main group of ${plan.name} could not be given the release in time`;
      enterRollback(rollout, made ? "halted" : "failed", because);
      return true;
    }
    stragglers.push(...missing.map((thing) => ({ target: plan.name, thing })));
  }
  if (waiting) return false;
  answer(
    rollout,
    "Verify",
    true,
    stragglers.length === 0 ? "every device reports the release" : "all but stragglers report the release",
  );
  enterDone(
    rollout,
    "promoted",
    `promoted by ${rollout.promotedBy ?? "?"}, and verified on the devices`,
    stragglers,
  );
  return true;
}

function tooFew(wave: number, target: string, share: number, count: number): string {
  return `only ${Math.round(share * count)} of ${count} devices of wave ${wave} in ${target} report the release by its deadline`;
}

import { draw, DrawRefused } from "../judge/draw.ts";
import { deploy, enter, enterRollback, keyOf, notify, answer, since, want } from "./enter.ts";
import { emergencyPromoted } from "./emergency.ts";
import type { Evidence } from "./evidence.ts";
import { seedHashOf } from "./seed.ts";
import { haltOf, isUndecided, targetsOf, unreachable, type Rollout } from "./state.ts";
import { finishMoves, promote } from "./waves.ts";

/** Attempts at a revision that brings the last good set back; then its deadline speaks. */
const ROLLBACK_ATTEMPTS_MAX = 5;

/**
 * Takes one piece of evidence into the rollout, which it changes. Returns a sentence where a person's wish cannot be
 * granted; whatever else does not fit is passed over.
 */
export function apply(rollout: Rollout, evidence: Evidence): string | undefined {
  switch (evidence.kind) {
    case "promoted":
      return promoted(rollout, evidence.by, evidence.reason);
    case "emergencyPromoted":
      return emergencyPromoted(rollout, { by: evidence.by, reason: evidence.reason });
    case "held":
      return held(rollout, evidence.by, evidence.reason);
    case "resumed":
      return resumed(rollout);
    case "rollbackRequested":
      return rollbackRequested(rollout, evidence.by, evidence.reason);
    case "drawn":
      drawn(rollout, evidence.target, evidence.seed);
      break;
    case "done":
      done(rollout, evidence.key);
      break;
    case "deploymentCreated":
      deploymentCreated(rollout, evidence.key, evidence.deploymentId);
      break;
    case "failed":
      failed(rollout, evidence.key, evidence.because);
      break;
    case "reported":
      reported(rollout, evidence);
      break;
    case "look":
      look(rollout, evidence);
      break;
    case "watched":
      watched(rollout, evidence);
      break;
    case "pushed":
      pushed(rollout, evidence.release, evidence.mode);
      break;
    default:
      return unreachable(evidence);
  }
  return undefined;
}

function drawn(rollout: Rollout, target: string, seed: string): void {
  const own = targetsOf(rollout).find(({ plan }) => plan.name === target);
  // A seed told before the pre-period has passed would let the canary be known, and chosen, too early.
  const isAsked = rollout.outbox[keyOf(rollout, target, "draw")] !== undefined;
  if (own === undefined || own.state.seed !== undefined || !isAsked) return;
  const { plan, state } = own;
  if (seedHashOf(seed) !== plan.seedHash) {
    enterRollback(rollout, "failed", `the seed drawn in ${target} is not the one that was committed to`);
    return;
  }
  try {
    const { order, canary } = draw(plan.devices, plan.policy.canaryDevices, seed);
    state.order = [...order];
    state.canaryCount = canary.length;
  } catch (thrown) {
    if (!(thrown instanceof DrawRefused)) throw thrown;
    {
      enterRollback(rollout, "failed", `${target}: ${thrown.message}`);
      return;
    }
  }
  state.seed = seed;
  done(rollout, keyOf(rollout, target, "draw"));
  want(rollout, {
    kind: "moveThings",
    key: keyOf(rollout, target, "move", "canary"),
    target,
    group: plan.canaryGroup,
    things: state.order.slice(0, state.canaryCount),
    exactly: true,
  });
}

function done(rollout: Rollout, key: string): void {
  if (rollout.outbox[key] === undefined) return;
  delete rollout.outbox[key];
  rollout.done.push(key);
}

function deploymentCreated(rollout: Rollout, key: string, deploymentId: string): void {
  done(rollout, key);
  for (const { plan, state } of targetsOf(rollout))
    for (const role of ["canary", "main"] as const) {
      const group = state.groups[role];
      if (group === undefined) continue;
      if (group.key === key) {
        // An answer that comes twice must not undo what was learnt from the first.
        group.id ??= deploymentId;
        if (role === "canary" && group.set === "lastGood") finishMoves(rollout, plan, state);
        continue;
      }
      // The candidate's revision was made after all, perhaps after ours: one more of the last good set goes on top.
      const late = key.startsWith(`${keyOf(rollout, plan.name, role, "candidate")}/`);
      if (late && group.set === "lastGood" && !rollout.done.includes(`${key}/late`)) {
        rollout.done.push(`${key}/late`);
        deploy(rollout, plan, state, role, "lastGood", `over a late revision of ${plan.candidate.id}`);
      }
    }
}

function failed(rollout: Rollout, key: string, because: string): void {
  const deed = rollout.outbox[key];
  if (deed === undefined) return;
  switch (deed.kind) {
    case "notify":
      // Kept: a rollout that ends must be heard of.
      return;
    case "answerApproval":
    case "cancelDeployment":
    case "startRollout":
      return done(rollout, key);
    case "draw":
    case "moveThings":
      if (rollout.phase.phase === "rollingBack" || rollout.phase.phase === "done") return done(rollout, key);
      enterRollback(rollout, "failed", `${deed.kind} in ${deed.target} was refused: ${because}`);
      return;
    case "createDeployment":
      return deploymentFailed(rollout, key, deed.target, because);
  }
}

function deploymentFailed(rollout: Rollout, key: string, target: string, because: string): void {
  for (const { plan, state } of targetsOf(rollout))
    for (const role of ["canary", "main"] as const) {
      const group = state.groups[role];
      if (group?.key !== key) continue;
      if (group.set === "candidate") {
        enterRollback(rollout, "failed", `the deployment to ${role} in ${target} was refused: ${because}`);
        return;
      }
      delete rollout.outbox[key];
      if (group.attempt < ROLLBACK_ATTEMPTS_MAX)
        deploy(rollout, plan, state, role, "lastGood", `again, since it was refused: ${because}`);
    }
}

function reported(rollout: Rollout, evidence: Extract<Evidence, { kind: "reported" }>): void {
  const state = rollout.targets[evidence.target];
  if (state !== undefined)
    state.reports[evidence.thing] = { set: evidence.set, deploymentId: evidence.deploymentId };
}

function look(rollout: Rollout, evidence: Extract<Evidence, { kind: "look" }>): void {
  const state = rollout.targets[evidence.target];
  if (state?.assignedAtMs === undefined) return;
  const { verdict, because, digest, elapsedMs } = evidence;
  const known = state.verdict;
  // HALT is for good, and PROMOTE gives way to it alone; a look that comes late says nothing new but HALT.
  const decided = known?.verdict === "HALT" || (known?.verdict === "PROMOTE" && verdict !== "HALT");
  if (decided || (known !== undefined && elapsedMs <= known.elapsedMs && verdict !== "HALT")) return;
  state.verdict = { verdict, because, digest, elapsedMs };
}

function watched(rollout: Rollout, evidence: Extract<Evidence, { kind: "watched" }>): void {
  const state = rollout.targets[evidence.target];
  const watch = state?.watch;
  if (watch === undefined || watch.seen?.verdict === "HALT") return;
  const { fromMs, atMs, verdict, because, digest, step } = evidence;
  if (step !== undefined && state?.steps.every((one) => one.fromMs !== fromMs) === true)
    state.steps.push({ fromMs, found: step });
  // What was well of an earlier wave, or earlier of this one, says nothing now; a HALT that comes late is one.
  const isNewer = fromMs === watch.fromMs && atMs > (watch.seen?.atMs ?? -Infinity);
  if (isNewer || verdict === "HALT") watch.seen = { atMs, verdict, because, digest };
}

function promoted(rollout: Rollout, by: string, reason: string): string | undefined {
  const { phase } = rollout;
  if (phase.phase !== "awaitingPromotion" && phase.phase !== "inconclusive")
    return cannot(rollout, "be promoted");
  if (targetsOf(rollout).some(({ state }) => haltOf(state) !== undefined))
    return `${rollout.plan.release} cannot be promoted: the judge has halted it`;
  const unjudged = targetsOf(rollout).find(({ state }) => isUndecided(state));
  if (unjudged !== undefined)
    return `${rollout.plan.release} cannot be promoted by one person while ${unjudged.plan.name} has no verdict: two have to let it through`;
  if (phase.phase === "inconclusive")
    answer(rollout, "Judge", true, `${by} decided without a verdict: ${reason}`);
  promote(rollout, by, reason);
  return undefined;
}

function rollbackRequested(rollout: Rollout, by: string, reason: string): string | undefined {
  const { phase } = rollout.phase;
  if (phase === "done" || phase === "rollingBack") return cannot(rollout, "be rolled back");
  enterRollback(
    rollout,
    phase === "inconclusive" ? "inconclusive" : "halted",
    `${by} asked for it: ${reason}`,
  );
  return undefined;
}

function held(rollout: Rollout, by: string, reason: string): string | undefined {
  const inner = rollout.phase;
  if (
    inner.phase === "held" ||
    inner.phase === "inconclusive" ||
    inner.phase === "rollingBack" ||
    inner.phase === "done"
  )
    return cannot(rollout, "be held");
  enter(rollout, { phase: "held", since: since(rollout), inner, by, because: reason });
  rollout.holds++;
  notify(rollout, `held/${rollout.holds}`, `${rollout.plan.release} is held by ${by}: ${reason}`);
  return undefined;
}

function resumed(rollout: Rollout): string | undefined {
  if (rollout.phase.phase !== "held") return cannot(rollout, "be resumed");
  const { inner, since: heldSince } = rollout.phase;
  // The time of the hold counts towards no deadline.
  for (const name of Object.keys(inner.since))
    inner.since[name] = (inner.since[name] ?? 0) + (rollout.now[name] ?? 0) - (heldSince[name] ?? 0);
  for (const { plan, state, now } of targetsOf(rollout))
    if (state.waveBegunAtMs !== undefined) state.waveBegunAtMs += now - (heldSince[plan.name] ?? 0);
  enter(rollout, inner);
  return undefined;
}

function pushed(rollout: Rollout, release: string, mode: "queue" | "supersede"): void {
  if (release === rollout.plan.release) return;
  const { phase } = rollout.phase;
  rollout.queued = release;
  if (phase === "done")
    return want(rollout, { kind: "startRollout", key: keyOf(rollout, "start", release), release });
  if (mode === "supersede" && rollout.promotedBy === undefined && phase !== "rollingBack") {
    enterRollback(rollout, "superseded", `${release} takes its place`);
    return;
  }
  notify(rollout, `queued/${release}`, `${release} waits until ${rollout.plan.release} has ended`);
}

function cannot(rollout: Rollout, what: string): string {
  return `${rollout.plan.release} cannot ${what} while it is ${rollout.phase.phase}`;
}

import { isOverdue } from "./deadlines.ts";
import {
  answer,
  askForDraw,
  deployCanary,
  enter,
  enterDone,
  enterRollback,
  isDrawAsked,
  isMoved,
  nameSome,
  notify,
  since,
} from "./enter.ts";
import { advanceEmergency } from "./emergency.ts";
import { drawFromMs } from "./soaks.ts";
import { arrivedShare, haltOf, isBack, targetsOf, unreachable, type Rollout } from "./state.ts";
import { isOpen } from "./windows.ts";
import { advanceVerifying, advanceWave, promote } from "./waves.ts";

/** Moves the rollout one phase on, where evidence or time ask for it; true where it did. */
export function advance(rollout: Rollout): boolean {
  const { phase } = rollout;
  if (phase.phase !== "rollingBack" && phase.phase !== "done") {
    // The judge is heard in every phase, also while a person holds the rollout.
    for (const { plan, state } of targetsOf(rollout)) {
      const because = haltOf(state);
      if (because !== undefined) return enterRollback(rollout, "halted", `${plan.name}: ${because}`);
    }
  }
  if (advanceEmergency(rollout)) return true;
  switch (phase.phase) {
    case "planned":
      return advancePlanned(rollout);
    case "drawing":
      return advanceDrawing(rollout);
    case "canary":
      return advanceCanary(rollout);
    case "soaking":
      return advanceSoaking(rollout);
    case "awaitingPromotion":
      return anyOverdue(rollout) && enterRollback(rollout, "inconclusive", "nobody promoted it in time");
    case "inconclusive":
      return (
        anyOverdue(rollout) &&
        enterRollback(rollout, "inconclusive", `nobody decided in time; ${phase.because}`)
      );
    case "held":
      return (
        anyOverdue(rollout) &&
        enterRollback(
          rollout,
          "inconclusive",
          `nobody resumed it in time; held by ${phase.by}: ${phase.because}`,
        )
      );
    case "waves":
      return advanceWave(rollout, phase.wave);
    case "verifying":
      return advanceVerifying(rollout);
    case "rollingBack":
      return advanceRollback(rollout);
    case "done":
      return false;
    default:
      return unreachable(phase);
  }
}

/** A target that is quiet already, and whose window is open, waits for no other: its canary is drawn, and gets the release. */
function advancePlanned(rollout: Rollout): boolean {
  const waiting = targetsOf(rollout).filter(({ plan, now }) => {
    if (isDrawAsked(rollout, plan.name)) return false;
    if (now < drawFromMs(rollout, plan)) return true;
    askForDraw(rollout, plan);
    return false;
  });
  if (deployDrawn(rollout)) return true;
  return waiting.length === 0 && enter(rollout, { phase: "drawing", since: since(rollout) });
}

/** Deploys to every canary that is drawn and moved; true where one is larger than may be and the rollout turned back. */
function deployDrawn(rollout: Rollout): boolean {
  for (const target of targetsOf(rollout)) {
    const { plan, state, now } = target;
    if (state.assignedAtMs !== undefined || !isMoved(rollout, plan.name)) continue;
    if (!isOpen(plan.policy.windows, now)) continue;
    const { unjudgedDevicesMax } = plan.policy;
    if (state.canaryCount > unjudgedDevicesMax)
      return enterRollback(
        rollout,
        "failed",
        `${state.canaryCount} canary devices in ${plan.name} would be more than the ${unjudgedDevicesMax} that may run an unjudged version`,
      );
    deployCanary(rollout, target);
  }
  return false;
}

function advanceDrawing(rollout: Rollout): boolean {
  if (deployDrawn(rollout)) return true;
  const open = targetsOf(rollout).filter(({ state }) => state.assignedAtMs === undefined);
  if (open.length === 0) return enter(rollout, { phase: "canary", since: since(rollout) });
  const late = open.find(({ plan }) => isOverdue(rollout, plan.name));
  if (late === undefined) return false;
  return enterRollback(rollout, "failed", `the canary of ${late.plan.name} was not drawn and moved in time`);
}

function advanceCanary(rollout: Rollout): boolean {
  let waiting = false;
  for (const { plan, state } of targetsOf(rollout)) {
    const canary = state.order.slice(0, state.canaryCount);
    const share = arrivedShare(plan, state, canary);
    if (share === 1) continue;
    if (!isOverdue(rollout, plan.name)) waiting = true;
    else if (share < plan.policy.arrivedShareMin) {
      const because =
        state.groups.canary?.id === undefined
          ? `the deployment to the canary of ${plan.name} was not made in time`
          : `only ${Math.round(share * canary.length)} of ${canary.length} canary devices of ${plan.name} report the release in time; not ${nameSome(canary.filter((thing) => state.reports[thing]?.set !== plan.candidate.id))}`;
      return enterRollback(rollout, state.groups.canary?.id === undefined ? "failed" : "halted", because);
    }
  }
  if (waiting) return false;
  answer(rollout, "Canary", true, "the canary has the release");
  return enter(rollout, { phase: "soaking", since: since(rollout) });
}

function advanceSoaking(rollout: Rollout): boolean {
  const open = targetsOf(rollout).filter(({ state }) => state.verdict?.verdict !== "PROMOTE");
  if (open.length === 0) {
    const sentence = targetsOf(rollout)
      .map(({ plan, state }) => `${plan.name}: ${state.verdict?.because ?? ""}`)
      .join(" ");
    answer(rollout, "Judge", true, sentence);
    if (targetsOf(rollout).every(({ plan }) => plan.policy.promotes === "policy")) {
      notify(rollout, "promoted", `${rollout.plan.release} is promoted by the policy. ${sentence}`);
      return promote(rollout, "the policy", "every metric may promote by itself, and all are well");
    }
    notify(rollout, "awaitingPromotion", `${rollout.plan.release} may be promoted. ${sentence}`);
    return enter(rollout, { phase: "awaitingPromotion", since: since(rollout) });
  }
  const undecided = open.find(
    ({ plan, state }) => state.verdict?.verdict === "INCONCLUSIVE" || isOverdue(rollout, plan.name),
  );
  if (undecided === undefined) return false;
  const because = `${undecided.plan.name}: ${undecided.state.verdict?.because ?? "no look came at all"}`;
  notify(rollout, "inconclusive", `${rollout.plan.release} waits for a person: ${because}`);
  return enter(rollout, { phase: "inconclusive", since: since(rollout), because });
}

function advanceRollback(rollout: Rollout): boolean {
  const { phase } = rollout;
  if (phase.phase !== "rollingBack") return false;
  const missing = targetsOf(rollout).flatMap(({ plan, state }) =>
    state.exposed
      .filter((thing) => !isBack(plan, state, thing))
      .map((thing) => ({ target: plan.name, thing })),
  );
  if (missing.length === 0) return enterDone(rollout, phase.outcome, phase.because, []);
  const overdue = new Set(missing.map(({ target }) => target).filter((target) => isOverdue(rollout, target)));
  if ([...missing].some(({ target }) => !overdue.has(target))) return false;
  return enterDone(
    rollout,
    "failed",
    `${phase.because}; it was rolled back, but ${missing.length} devices have not reported it in time`,
    missing,
  );
}

function anyOverdue(rollout: Rollout): boolean {
  return targetsOf(rollout).some(({ plan }) => isOverdue(rollout, plan.name));
}

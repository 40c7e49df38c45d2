import { answer, notify } from "./enter.ts";
import { unjudgedUntilMs } from "./soaks.ts";
import { isLetThrough, targetsOf, type Rollout, type Wish } from "./state.ts";
import { enterWave } from "./waves.ts";

/** Takes one person's wish: the first opens the lane, another person's completes it. Returns why it is not granted. */
export function emergencyPromoted(rollout: Rollout, wish: Wish): string | undefined {
  const { phase, emergency, plan } = rollout;
  const opened = emergency?.opened;
  if (isLetThrough(rollout) || !canBeLetThrough(phase.phase))
    return `${plan.release} cannot be promoted in an emergency while it is ${phase.phase}${isLetThrough(rollout) ? `: ${rollout.promotedBy ?? ""} have let it through already` : ""}`;
  if (opened === undefined) {
    rollout.emergency = { opened: wish, completed: undefined };
    notify(
      rollout,
      "emergencyOpened",
      `${wish.by} wants ${plan.release} let through unjudged (${wish.reason}); another person has to want it as well`,
    );
    return undefined;
  }
  if (isSamePerson(opened.by, wish.by))
    return `${plan.release} cannot be let through by ${wish.by} alone, who has opened the emergency lane: another person has to complete it`;
  rollout.emergency = { opened, completed: wish };
  rollout.promotedBy = `${opened.by} and ${wish.by}`;
  notify(rollout, "emergency", `${plan.release} is let through unjudged: ${bothReasons(rollout)}`);
  return undefined;
}

/** Begins the waves of what was let through, once its canary needs no more time; true where the rollout moved. */
export function advanceEmergency(rollout: Rollout): boolean {
  const { phase } = rollout.phase;
  if (!isLetThrough(rollout)) return false;
  if (phase === "canary") {
    if (!rollout.plan.targets.every(({ knownGoodBy }) => knownGoodBy !== undefined)) return false;
    answer(rollout, "Canary", true, "every target was promoted to it before: it needs no canary");
  } else if (phase !== "soaking" && phase !== "awaitingPromotion" && phase !== "inconclusive") return false;
  else if (targetsOf(rollout).some(({ plan, state, now }) => now < unjudgedUntilMs(plan, state)))
    return false;
  answer(rollout, "Judge", true, `let through without a verdict: ${bothReasons(rollout)}`);
  answer(rollout, "Promote", true, bothReasons(rollout));
  enterWave(rollout, 0);
  return true;
}

/** Not yet promoted, and neither held nor on the way back. */
export function canBeLetThrough(phase: Rollout["phase"]["phase"]): boolean {
  return ["planned", "drawing", "canary", "soaking", "awaitingPromotion", "inconclusive"].includes(phase);
}

function bothReasons({ emergency }: Rollout): string {
  return [emergency?.opened, emergency?.completed]
    .flatMap((wish) => (wish === undefined ? [] : [`${wish.by}: ${wish.reason}`]))
    .join("; ");
}

/** Whoever signs in two spellings is one person: only letters and digits tell people apart. */
function isSamePerson(one: string, other: string): boolean {
  const plain = (name: string): string =>
    name
      .normalize("NFKC")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}]/gu, "");
  return plain(one) === plain(other);
}

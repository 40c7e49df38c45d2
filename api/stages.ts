import type { Stage } from "@coalmine/contract/operator-api";
import type { Progress } from "../pipeline/controller/progress.ts";
import { deadlinesOf } from "../pipeline/rollout/deadlines.ts";
import type { RolloutTarget } from "../pipeline/rollout/plan.ts";
import {
  arrivedShare,
  targetsOf,
  waveThings,
  type Phase,
  type Rollout,
  type TargetState,
} from "../pipeline/rollout/state.ts";

type Named = Pick<Stage, "stage" | "wave">;

/** The stages of a rollout in their order, with how far each target is and what keeps it. */
export function stagesOf(rollout: Rollout, progress: Readonly<Record<string, Progress>>): Stage[] {
  const stages = namedStages(rollout);
  const { index, state: current } = placeOf(rollout, stages);
  const deadlines = deadlinesOf(rollout);
  return stages.map((named, at) => ({
    ...named,
    state:
      at < index
        ? "done"
        : at > index && current !== "done"
          ? current === "ended"
            ? "ended"
            : "next"
          : current,
    targets: targetsOf(rollout).map(({ plan, state, now }) => {
      const things = thingsOf(named, plan, state);
      const share = arrivedShare(plan, state, things);
      const deadline = at === index ? deadlines.find(({ target }) => target === plan.name) : undefined;
      const own = new Set(things);
      return {
        target: plan.name,
        devices: things.length,
        arrived: things.length === 0 ? 0 : Math.round(share * things.length),
        ...(deadline === undefined
          ? {}
          : {
              deadline: {
                name: deadline.name,
                atMs: deadline.atMs,
                inMs: deadline.atMs - now,
                afterwards: deadline.afterwards,
              },
            }),
        progress: at < index ? 1 : at > index ? 0 : progressOf(named, plan, state, now, share),
        stuck: at === index ? (progress[plan.name]?.stuck.filter(({ thing }) => own.has(thing)) ?? []) : [],
      };
    }),
  }));
}

function namedStages(rollout: Rollout): Named[] {
  const targets = targetsOf(rollout);
  const waves = Math.max(...targets.map(({ plan }) => plan.policy.waves.length));
  // Where targets have other shares, the bar shows those of the one with most waves.
  const shares = targets.find(({ plan }) => plan.policy.waves.length === waves)?.plan.policy.waves ?? [];
  return [
    { stage: "planned" },
    { stage: "canary" },
    { stage: "soak" },
    { stage: "promotion" },
    ...shares.map((share, index): Named => ({ stage: "wave", wave: { number: index + 1, share } })),
    { stage: "verify" },
  ];
}

/** The stage that a rollout is at, or has not got past. */
function placeOf(
  rollout: Rollout,
  stages: readonly Named[],
): { readonly index: number; readonly state: Stage["state"] } {
  const { phase } = rollout;
  const at = (stage: Stage["stage"]): number => stages.findIndex((one) => one.stage === stage);
  if (phase.phase === "held") return { ...placeIn(phase.inner, at), state: "held" };
  if (phase.phase === "done" && phase.outcome === "promoted") return { index: stages.length, state: "done" };
  if (phase.phase === "rollingBack" || phase.phase === "done") {
    const states = Object.values(rollout.targets);
    const reached: Stage["stage"] =
      rollout.promotedBy !== undefined
        ? "wave"
        : states.some(({ verdict }) => verdict !== undefined)
          ? "soak"
          : states.some(({ assignedAtMs }) => assignedAtMs !== undefined)
            ? "canary"
            : "planned";
    return { index: at(reached), state: "ended" };
  }
  return { ...placeIn(phase, at), state: "now" };
}

function placeIn(
  phase: Exclude<Phase, { phase: "held" | "rollingBack" | "done" }>,
  at: (stage: Stage["stage"]) => number,
): { readonly index: number } {
  switch (phase.phase) {
    case "planned":
    case "drawing":
      return { index: at("planned") };
    case "canary":
      return { index: at("canary") };
    case "soaking":
      return { index: at("soak") };
    case "awaitingPromotion":
    case "inconclusive":
      return { index: at("promotion") };
    case "waves":
      return { index: at("wave") + phase.wave };
    case "verifying":
      break;
  }
  return { index: at("verify") };
}

function thingsOf({ stage, wave }: Named, plan: RolloutTarget, state: TargetState): readonly string[] {
  if (stage === "planned" || stage === "promotion") return [];
  if (stage === "verify") return state.order;
  return stage === "wave"
    ? waveThings(plan, state, (wave?.number ?? 1) - 1)
    : state.order.slice(0, state.canaryCount);
}

function progressOf(
  { stage }: Named,
  { policy }: RolloutTarget,
  { assignedAtMs }: TargetState,
  now: number,
  share: number,
): number {
  if (stage === "planned" || stage === "promotion") return 0;
  if (stage !== "soak") return share;
  return assignedAtMs === undefined || policy.soakMs === 0
    ? 0
    : Math.min(1, Math.max(0, (now - assignedAtMs) / policy.soakMs));
}

import { type Choice, decisions, type Decision, type RolloutPage } from "@coalmine/contract/operator-api";
import { readProgress } from "../pipeline/controller/progress.ts";
import { type ComponentSet, diffOf } from "../pipeline/rollout/deployment.ts";
import { next } from "../pipeline/rollout/next.ts";
import { targetsOf, type Rollout } from "../pipeline/rollout/state.ts";
import { durationText } from "../pipeline/judge/verdict.ts";
import { ageOf } from "./age.ts";
import type { Api, RolloutInput } from "./api.ts";
import { evidenceOf } from "./decide.ts";
import { describe, standOf, type RolloutDescription, type Stand } from "./describe.ts";
import type { FleetWatch } from "./fleets/fleet-watch.ts";
import { stagesOf } from "./stages.ts";
import { whyOf } from "./why.ts";

/** One rollout as a page shows it: in a sentence, by stages, and with what each decision would do. */
export async function rolloutPage(
  api: Api,
  watches: readonly FleetWatch[],
  input: RolloutInput,
): Promise<RolloutPage> {
  const stand = await standOf(api, input);
  const described = await describe(api, stand);
  const regions = watches.map(({ region }) => region);
  const progress = stand.rollout === undefined ? {} : await readProgress(stand.rollout, regions, api.kept);
  const why = await whyOf(api, described);
  const seen = await seenOf(watches, stand);
  return {
    ...described,
    targets: described.targets.map((target) => ({ ...target, progress: progress[target.target] })),
    why,
    headline: headlineOf(described, why),
    seen,
    stages: stand.rollout === undefined ? [] : stagesOf(stand.rollout, progress),
    choices: choicesOf(stand, seen),
  };
}

/** The age of the newest heartbeat of a rollout's devices, by target: of those that have the release, where there are any. */
export async function seenOf(
  watches: readonly FleetWatch[],
  { rollout }: Stand,
): Promise<RolloutPage["seen"]> {
  const found: RolloutPage["seen"] = {};
  for (const { plan, state, now } of rollout === undefined ? [] : targetsOf(rollout)) {
    const tally = (await watches.find(({ fleet }) => fleet === plan.name)?.look())?.tally;
    const things = state.exposed.length > 0 ? state.exposed : plan.devices.map(({ thing }) => thing);
    const atMs = Math.max(0, ...things.map((thing) => tally?.[thing]?.last?.atMs ?? 0));
    found[plan.name] = ageOf(atMs, now);
  }
  return found;
}

/** Why nobody can promote on what is seen; undefined where one can. */
export function staleText(seen: RolloutPage["seen"]): string | undefined {
  const stale = Object.entries(seen).filter(([, age]) => age.stale);
  return stale.length === 0
    ? undefined
    : `what is seen of ${stale.map(([target, { atMs, ageMs }]) => `${target} is ${atMs === 0 ? "nothing" : `${durationText(ageMs)} old`}`).join(" and of ")}, which is too old to promote on: see to its connection first`;
}

/** Where it is, and the word of the judge that holds it there. */
function headlineOf({ targets }: RolloutDescription, [where = ""]: readonly string[]): string {
  const told = targets.flatMap(({ target, verdict }) => (verdict === undefined ? [] : [{ target, verdict }]));
  const decisive = told.find(({ verdict }) => verdict.verdict !== "PROMOTE") ?? told[0];
  return decisive === undefined || where.includes(decisive.verdict.because)
    ? where
    : `${where} ${decisive.target}: ${decisive.verdict.because}`;
}

const afterwards: Readonly<Record<Decision, string>> = {
  promote:
    "the main fleets follow in waves, each watched, and everything goes back by itself where one does harm",
  hold: "nothing but HALT moves it until somebody resumes, or its deadline passes and it is rolled back",
  resume: "it goes on where it was held",
  rollback: "every device that may have the release is given the last good one, and each has to report it",
};

function choicesOf({ folded, rollout, now }: Stand, seen: RolloutPage["seen"]): Choice[] {
  const { planned } = folded;
  if (planned === undefined || rollout === undefined) return [];
  return decisions.map((decision) => {
    const evidence = evidenceOf(decision, { by: "anybody", reason: "asked beforehand" });
    const { refused } = next(planned.rollout, [evidence], now);
    const because = refused[0] ?? (decision === "promote" ? staleText(seen) : undefined);
    const targets = reachOf(rollout, decision);
    return {
      decision,
      ...(because === undefined ? {} : { refusedBecause: because }),
      reach: targets.reduce((sum, { reach }) => sum + reach, 0),
      targets,
      afterwards: afterwards[decision],
    };
  });
}

/** The devices that get another revision by a decision, and what of it is another. */
function reachOf(rollout: Rollout, decision: Decision): Choice["targets"] {
  if (decision === "hold" || decision === "resume") return [];
  return targetsOf(rollout).map(({ plan, state }) => {
    const [from, to] =
      decision === "promote"
        ? [plan.lastGood.components, plan.candidate.components]
        : [plan.candidate.components, plan.lastGood.components];
    const of = plan.devices.length;
    return {
      target: plan.name,
      reach: decision === "promote" ? of - state.exposed.length : state.exposed.length,
      of,
      diff: shownDiff(from, to),
    };
  });
}

function shownDiff(from: ComponentSet, to: ComponentSet): Choice["targets"][number]["diff"] {
  const diff = diffOf(from, to);
  return { ...diff, added: diff.added.map((name) => ({ name, to: to[name]?.version ?? "" })) };
}

import { invariant } from "@coalmine/runtime";
import * as z from "zod";
import type { Api } from "../../api/api.ts";
import type { FoldedRollout } from "../../pipeline/controller/folded.ts";
import { keptBundle, verdictKey } from "../../pipeline/controller/kept-bundle.ts";
import { arrange } from "../../pipeline/judge/arrangement.ts";
import { compareArms } from "../../pipeline/judge/comparison.ts";
import { brokenLimits } from "../../pipeline/judge/limits.ts";
import { parsePolicy } from "../../pipeline/policy.ts";
import { targetsOf, type Phase } from "../../pipeline/rollout/state.ts";

/** Of a kept verdict, what is told of a halt. */
const Verdict = z.object({
  metrics: z.array(
    z.object({
      metric: z.string(),
      p: z.number().nullable(),
      ratio: z.number().nullable(),
      ratioLow: z.number().nullable(),
      ratioHigh: z.number().nullable(),
    }),
  ),
  guard: z.object({ tripped: z.boolean(), failed: z.int(), updated: z.int(), eValue: z.number() }).nullable(),
});
export type MetricFigures = z.infer<typeof Verdict>["metrics"][number];

/** What halted a rollout: metrics past a limit or by comparison, devices that fail, or too few that arrived in time. */
export type Halt =
  | { readonly by: "comparison" | "limit"; readonly metrics: readonly MetricFigures[] }
  | { readonly by: "guard"; readonly failed: number; readonly updated: number; readonly eValue: number }
  | { readonly by: "arrival" };

/** What became of a release: `promotable` waits for a person who promotes, `undecided` for one who decides. */
export type Decision = {
  readonly because: string;
  /** On the devices' clock, since the canary was told to take the release. */
  readonly elapsedMs: number;
  /** Devices that were told to take it. */
  readonly exposed: number;
} & (
  | { readonly ended: "halted"; readonly halt: Halt }
  | { readonly ended: "promotable" | "undecided" | "failed" }
);

/** How a rollout in that phase ended, as far as a canary has a say in it; undefined before that. */
export function endOf(phase: Phase): Decision["ended"] | undefined {
  if (phase.phase === "awaitingPromotion") return "promotable";
  if (phase.phase === "inconclusive") return "undecided";
  if (phase.phase !== "rollingBack" && phase.phase !== "done") return undefined;
  return phase.outcome === "halted" ? "halted" : "failed";
}

/** The decision on a rollout to one target, which has ended in that sense. */
export async function decisionOf({ kept }: Pick<Api, "kept">, folded: FoldedRollout): Promise<Decision> {
  const { planned } = folded;
  const [own] = planned === undefined ? [] : targetsOf(planned.rollout);
  const ended = planned && endOf(planned.rollout.phase);
  invariant(planned !== undefined && own !== undefined && ended !== undefined, `${folded.id} is not decided`);
  const { phase } = planned.rollout;
  const { state, plan, now } = own;
  const exposed = state.exposed.length;
  if (state.verdict === undefined || (ended === "halted" && state.verdict.verdict !== "HALT")) {
    const because = "because" in phase ? phase.because : "";
    const shape = { because, elapsedMs: now - (state.assignedAtMs ?? now), exposed };
    return ended === "halted" ? { ...shape, ended, halt: { by: "arrival" } } : { ...shape, ended };
  }
  const { because, elapsedMs } = state.verdict;
  const shape = { because, elapsedMs, exposed };
  return ended === "halted"
    ? { ...shape, ended, halt: await haltOf(kept, folded, planned.record.policy, plan.name) }
    : { ...shape, ended };
}

/** What made the judge halt, in the order in which it asks. */
async function haltOf(
  kept: Api["kept"],
  folded: FoldedRollout,
  policy: string,
  target: string,
): Promise<Halt> {
  const { bundle } = await keptBundle(kept, folded, parsePolicy(policy), target);
  const last = bundle.looks.at(-1);
  const arrangement = arrange(bundle);
  const verdict = await kept.read(verdictKey(folded.id, target, last?.elapsedMs ?? 0), Verdict);
  invariant(
    last !== undefined && typeof arrangement !== "string" && verdict !== undefined,
    `${folded.id} was halted without evidence`,
  );
  if (verdict.guard?.tripped === true) {
    const { failed, updated, eValue } = verdict.guard;
    return { by: "guard", failed, updated, eValue };
  }
  const figuresOf = (found: readonly { readonly metric: { readonly name: string } }[]) =>
    verdict.metrics.filter(({ metric }) => found.some(({ metric: { name } }) => name === metric));
  const broken = brokenLimits(bundle.metrics, last, arrangement).filter(({ baselineToo }) => !baselineToo);
  if (broken.length > 0) return { by: "limit", metrics: figuresOf(broken) };
  return {
    by: "comparison",
    metrics: figuresOf(compareArms(bundle, arrangement).halt?.metrics ?? []),
  };
}

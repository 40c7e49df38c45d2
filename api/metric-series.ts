import type { Level, MetricSeries, RolloutMetrics } from "@coalmine/contract/operator-api";
import * as z from "zod";
import type { FoldedRollout } from "../pipeline/controller/folded.ts";
import { keptBundle, verdictKey } from "../pipeline/controller/kept-bundle.ts";
import type { Bundle, Metric, Pair } from "../pipeline/judge/bundle.ts";
import { usable } from "../pipeline/judge/outcome.ts";
import { effectText } from "../pipeline/judge/verdict.ts";
import { parsePolicy } from "../pipeline/policy.ts";
import { targetsOf } from "../pipeline/rollout/state.ts";
import { ageOf } from "./age.ts";
import { type Api, parseInput, RolloutInput } from "./api.ts";
import { standOf } from "./describe.ts";

const figure = z.number().nullable();
/** Of a kept verdict, what a chart says beside its lines. */
const ToldVerdict = z.object({
  verdict: z.string(),
  metrics: z.array(
    z.object({
      metric: z.string(),
      halting: z.boolean(),
      p: figure,
      ratio: figure,
      ratioLow: figure,
      ratioHigh: figure,
      canaryLevel: figure,
      baselineLevel: figure,
      margin: figure,
      cleared: z.boolean().nullable(),
      lacks: z.string().nullable(),
    }),
  ),
});
type ToldVerdict = z.infer<typeof ToldVerdict>;
type Finding = ToldVerdict["metrics"][number];

/** What every look saw of both arms, metric by metric, with what the latest one says of it. */
export async function rolloutMetrics(api: Api, input: RolloutInput): Promise<RolloutMetrics> {
  const { folded, rollout } = await standOf(api, parseInput(RolloutInput, input));
  const targets: RolloutMetrics["targets"][number][] = [];
  for (const { plan, state, now } of rollout === undefined ? [] : targetsOf(rollout)) {
    const looks = folded.looks[plan.name] ?? [];
    const last = looks.at(-1);
    if (last === undefined || state.assignedAtMs === undefined) continue;
    const { bundle } = await keptBundle(api.kept, folded, policyOf(folded), plan.name);
    const verdict = await api.kept.read(verdictKey(folded.id, plan.name, last.elapsedMs), ToldVerdict);
    const canary = new Set(bundle.draw.canary);
    targets.push({
      target: plan.name,
      seen: ageOf(state.assignedAtMs + last.elapsedMs, now),
      judgedBy: bundle.policy.judgedBy,
      arms: { canary: canary.size, baseline: bundle.devices.length - canary.size },
      metrics: bundle.metrics
        .map((metric) => seriesOf(metric, bundle, state.assignedAtMs ?? 0, verdict))
        .sort((a, b) => worse(a) - worse(b)),
    });
  }
  return { rollout: folded.id, targets };
}

function policyOf(folded: FoldedRollout): ReturnType<typeof parsePolicy> {
  return parsePolicy(folded.planned?.record.policy ?? "");
}

function worse({ status }: MetricSeries): number {
  return ["harm", "notEnough", "fine"].indexOf(status);
}

function seriesOf(
  metric: Metric,
  { devices, draw, looks, policy }: Bundle,
  assignedAtMs: number,
  verdict: ToldVerdict | undefined,
): MetricSeries {
  const chosen = new Set(draw.canary);
  const isCanary = devices.map(({ thing }) => chosen.has(thing));
  const finding = verdict?.metrics.find((one) => one.metric === metric.name);
  const { above, below } = metric.limit ?? {};
  const shown = looks.map((look, index) => {
    const before = looks[index - 1]?.values[metric.name];
    const steps = (look.values[metric.name] ?? []).map((pair, device) =>
      usable(metric, stepOf(pair, before?.[device])),
    );
    return {
      atMs: assignedAtMs + look.elapsedMs,
      canary: levelOf(steps.filter((_, device) => isCanary[device] === true)),
      baseline: levelOf(steps.filter((_, device) => isCanary[device] === false)),
    };
  });
  const status = statusOf(metric, finding, verdict, policy.alpha);
  return {
    metric: metric.name,
    kind: metric.kind,
    direction: metric.direction,
    role: metric.role,
    ...(metric.limit === undefined
      ? {}
      : { limit: { ...(above === undefined ? {} : { above }), ...(below === undefined ? {} : { below }) } }),
    minEffect: metric.minEffect,
    ...(metric.margin === undefined ? {} : { margin: metric.margin }),
    sentence: sentenceOf(metric, finding, status),
    status,
    p: finding?.p ?? null,
    ratio: finding?.ratio ?? null,
    ratioLow: finding?.ratioLow ?? null,
    ratioHigh: finding?.ratioHigh ?? null,
    looks: shown,
  };
}

/** What came between two looks: totals only grow. */
function stepOf(now: Pair | undefined, before: Pair | undefined): Pair {
  if (now === null || now === undefined) return null;
  return before === null || before === undefined ? now : [now[0] - before[0], now[1] - before[1]];
}

/** Of a normal distribution; with few devices the interval is a little too narrow, and the judge does not use it. */
const Z_95 = 1.96;

/** The level of an arm, with an interval from how its devices differ; null where none of them said anything. */
export function levelOf(steps: readonly (readonly [number, number] | undefined)[]): Level | null {
  const known = steps.filter((pair) => pair !== undefined);
  const count = known.length;
  if (count === 0) return null;
  const numerator = known.reduce((sum, [one]) => sum + one, 0);
  const denominator = known.reduce((sum, [, one]) => sum + one, 0);
  const level = numerator / denominator;
  if (count === 1) return { level, low: null, high: null, devices: 1 };
  const squares = known.reduce((sum, [one, of]) => sum + (one - level * of) ** 2, 0);
  const half = (Z_95 * Math.sqrt((count / (count - 1)) * squares)) / denominator;
  return { level, low: Math.max(0, level - half), high: level + half, devices: count };
}

function statusOf(
  { minEffect, direction, kind }: Metric,
  finding: Finding | undefined,
  verdict: ToldVerdict | undefined,
  alpha: number,
): MetricSeries["status"] {
  if (finding?.p === null || finding === undefined || finding.lacks !== null)
    return finding?.cleared === true ? "fine" : "notEnough";
  const { ratio, p, cleared } = finding;
  const isMore = ratio !== null && (direction !== "down" || kind === "liveness") && ratio >= minEffect;
  const isLess = ratio !== null && direction !== "up" && kind !== "liveness" && ratio <= 1 / minEffect;
  if ((isMore || isLess) && p <= alpha && verdict?.verdict === "HALT") return "harm";
  return cleared === false ? "notEnough" : "fine";
}

function sentenceOf(
  { margin }: Metric,
  finding: Finding | undefined,
  status: MetricSeries["status"],
): string {
  if (finding === undefined) return "Not compared: the guard and the absolute limits decide here.";
  const word = { harm: "harm", notEnough: "not enough evidence yet", fine: "fine" }[status];
  const allowed = margin === undefined ? "" : `, allowed below ${margin}×`;
  const lacks = finding.lacks === null ? "" : ` (${finding.lacks})`;
  return `${effectText(finding)}${allowed}: ${word}${lacks}.`;
}

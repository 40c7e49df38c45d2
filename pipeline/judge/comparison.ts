import type { Arrangement } from "./arrangement.ts";
import type { Bundle, Metric } from "./bundle.ts";
import { couldHaveBeenSeen, coverage, levelOf } from "./evidence.ts";
import { exp, log } from "./exact-math.ts";
import { negligibleOf, outcomeOf, pastOf, type Outcome } from "./outcome.ts";
import { Retiring } from "./retiring.ts";
import { spreadOf, tailOf, type Tail } from "./spread.ts";
import { residuals, studentise, upperP, type Scale } from "./statistic.ts";

/** What the comparison says of one metric at the latest look. */
export interface Comparison {
  readonly metric: Metric;
  readonly outcome: Outcome;
  /** Undefined where the metric is constant, or nothing is known. */
  readonly scale: Scale | undefined;
  readonly p: number | undefined;
  /** The metric is past the boundary at which the real draw came to stand out. */
  readonly significant: boolean;
  /** Shown to be within its margin; undefined for a metric without one. */
  readonly cleared: boolean | undefined;
  /** What keeps it from being cleared, beside too wide an interval. */
  readonly lacks: string | undefined;
}

export interface ComparisonResult {
  /** The look that halts, and the metrics that do. */
  readonly halt: { readonly look: number; readonly metrics: readonly Comparison[] } | undefined;
  readonly latest: readonly Comparison[];
  /** Share of alpha spent by the latest look. */
  readonly spent: number;
  /** Share of draws whose worst halting metric at the last look is as bad as the real one's; undefined where none is known. */
  readonly worstP: number | undefined;
}

/** What of a bundle is compared. */
type Compared = Pick<Bundle, "policy" | "metrics" | "before" | "looks">;

/** One question that clearing a metric must answer no to: is harm of this size (a shift of logarithms) possible? */
interface MarginTest {
  readonly shift: number;
  readonly retiring: Retiring;
}

interface Scratch {
  readonly e: Float64Array;
  readonly statistic: Float64Array;
  readonly worst: Float64Array;
  /** For selecting in. */
  readonly values: Float64Array;
}

export function isHalting(metric: Metric): boolean {
  return metric.role === "halting" || metric.kind === "liveness";
}

/** Either direction; liveness has one whatever is said. */
export function isTwoSided(metric: Metric): boolean {
  return metric.direction === "either" && metric.kind !== "liveness";
}

/** Replays the looks in order, and ends at the first that halts. */
export function compareArms(bundle: Compared, arrangement: Arrangement): ComparisonResult {
  const { policy, metrics, looks } = bundle;
  const halting = new Retiring(arrangement.drawCount);
  const questions = metrics.map((metric) => ({
    metric,
    past: pastOf(metric, bundle.before[metric.name] ?? [], arrangement.deviceCount),
    tests: marginTests(metric, arrangement.drawCount),
  }));
  const scratch: Scratch = {
    e: new Float64Array(arrangement.unitCount),
    statistic: new Float64Array(arrangement.drawCount),
    worst: new Float64Array(arrangement.drawCount),
    values: new Float64Array(arrangement.drawCount),
  };
  const tail = tailOf(policy.alpha);
  let spent = 0;
  for (const [index, look] of looks.entries()) {
    spent = Math.max(spent, Math.min(1, look.elapsedMs / policy.horizonMs));
    const { alpha, alphaPromote, soakMs } = policy;
    const asksHarm = halting.realBoundary !== undefined || halting.canRetire(alpha * spent);
    const asksMargin =
      look.elapsedMs >= soakMs &&
      questions.some(({ tests }) => tests.some(({ retiring }) => retiring.canRetire(alphaPromote * spent)));
    // At a look that can retire no draw nothing can change.
    if (!asksHarm && !asksMargin && index < looks.length - 1) continue;
    scratch.worst.fill(-Infinity);
    const seen = questions.map(({ metric, past, tests }) => {
      const outcome = outcomeOf(metric, look.values[metric.name] ?? [], past);
      residuals(outcome, arrangement, 0, scratch.e);
      const scale = studentise(scratch.e, arrangement, scratch.statistic);
      const real = scale === undefined ? undefined : joinWorst(metric, tail, scratch);
      const p = scale === undefined ? undefined : upperP(scratch.statistic);
      if (look.elapsedMs >= soakMs)
        for (const test of tests) testMargin(outcome, arrangement, test, alphaPromote * spent, scratch);
      return { metric, tests, outcome, scale, real, p };
    });
    const someHalting = seen.some(({ metric, real }) => isHalting(metric) && real !== undefined);
    if (someHalting) halting.look(scratch.worst, alpha * spent);
    // Once the real draw is retired its boundary stands; later looks only ask whether the effect has become large enough.
    const boundary = halting.realBoundary ?? Infinity;
    const stands = seen.map((one) => ({
      ...one,
      significant: isHalting(one.metric) && one.real !== undefined && one.real > boundary,
    }));
    if (!stands.some(isHarm) && index < looks.length - 1) continue;
    const latest = stands.map((one) => ({ ...one, ...clearance(bundle, index, one, arrangement) }));
    const harms = latest.filter(isHarm);
    return {
      halt: harms.length > 0 ? { look: index, metrics: harms } : undefined,
      latest,
      spent,
      worstP: someHalting ? upperP(scratch.worst) : undefined,
    };
  }
  return { halt: undefined, latest: [], spent, worstP: undefined };
}

/** A metric that stands out, by a difference that matters. */
export function isHarm({
  metric,
  scale,
  significant,
}: Pick<Comparison, "metric" | "scale" | "significant">): boolean {
  return significant && effectSize(metric, scale) >= log(metric.minEffect);
}

function clearance(
  bundle: Compared,
  index: number,
  { metric, scale, tests }: Pick<Comparison, "metric" | "scale"> & { readonly tests: readonly MarginTest[] },
  arrangement: Arrangement,
): Pick<Comparison, "cleared" | "lacks"> {
  const lacks = whatLacks(bundle, index, metric, scale, arrangement);
  if (metric.margin === undefined) return { cleared: undefined, lacks };
  const rejected = tests.every(({ retiring }) => retiring.realBoundary !== undefined);
  const within = effectSize(metric, scale) < log(metric.margin);
  return { cleared: rejected && within && lacks === undefined, lacks };
}

/** Logarithm of the harmful ratio; of a metric with two harmful directions, the size of either. */
function effectSize(metric: Metric, scale: Scale | undefined): number {
  const difference = scale?.difference ?? 0;
  return isTwoSided(metric) && difference < 0 ? -difference : difference;
}

/** Canary to baseline, as the metric counts, from a difference on the log scale where more is worse. */
export function ratioOf(metric: Metric, difference: number): number {
  return exp(metric.direction === "down" && metric.kind !== "liveness" ? -difference : difference);
}

/**
 * Standardises the statistics by their spread over the draws and, for a halting metric, takes each draw's worst metric
 * along. Returns the real draw's value; undefined where the draws do not differ.
 */
function joinWorst(metric: Metric, tail: Tail, { statistic, worst, values }: Scratch): number | undefined {
  if (isTwoSided(metric))
    for (let index = 0; index < statistic.length; index++)
      if ((statistic[index] ?? 0) < 0) statistic[index] = -(statistic[index] ?? 0);
  const spread = spreadOf(statistic, tail, values);
  if (!(spread > 1e-9)) return undefined;
  if (isHalting(metric))
    for (let index = 0; index < statistic.length; index++) {
      const value = (statistic[index] ?? 0) / spread;
      if (value > (worst[index] ?? 0)) worst[index] = value;
    }
  return (statistic[0] ?? 0) / spread;
}

function marginTests(metric: Metric, drawCount: number): MarginTest[] {
  if (metric.margin === undefined) return [];
  const shift = log(metric.margin);
  const up = { shift, retiring: new Retiring(drawCount) };
  return isTwoSided(metric) ? [up, { shift: -shift, retiring: new Retiring(drawCount) }] : [up];
}

/** Were the harm as large as the shift, the canary less the shift would be like the baseline: is it clearly better? */
function testMargin(
  outcome: Outcome,
  arrangement: Arrangement,
  { shift, retiring }: MarginTest,
  spent: number,
  { e, statistic }: Scratch,
): void {
  residuals(outcome, arrangement, shift, e);
  if (studentise(e, arrangement, statistic) === undefined) return;
  if (shift > 0)
    for (let index = 0; index < statistic.length; index++) statistic[index] = -(statistic[index] ?? 0);
  retiring.look(statistic, spent);
}

/** Absence is not evidence: what must be there before a metric can be cleared. */
function whatLacks(
  bundle: Compared,
  index: number,
  metric: Metric,
  scale: Scale | undefined,
  arrangement: Arrangement,
): string | undefined {
  if (metric.margin === undefined) return undefined;
  for (const canary of [true, false]) {
    const { fresh, devices } = coverage(metric, bundle.looks, index, arrangement, canary);
    if (fresh < bundle.policy.coverageMin * devices)
      return `only ${fresh} of ${devices} ${canary ? "canary" : "baseline"} devices have fresh data`;
  }
  const values = bundle.looks[index]?.values[metric.name];
  const arms = [
    levelOf(metric, values, arrangement, true),
    levelOf(metric, values, arrangement, false),
  ] as const;
  if (!couldHaveBeenSeen(metric, ...arms))
    return "too few events would be expected even at the margin; a longer soak, or a larger negligible level, settles it";
  // Without a level that is negligible, all alike means that nothing is measured, not that nothing is wrong.
  if (scale === undefined && negligibleOf(metric) === 0) return "every device shows the same value";
  return undefined;
}

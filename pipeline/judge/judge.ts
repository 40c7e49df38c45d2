import { absoluteHalt } from "./absolute.ts";
import { arrange, smallestP, type Arrangement } from "./arrangement.ts";
import type { Bundle, Look } from "./bundle.ts";
import { compareArms, isHalting, ratioOf, type Comparison, type ComparisonResult } from "./comparison.ts";
import { effectInterval } from "./effect.ts";
import { coverage, levelOf } from "./evidence.ts";
import { guard, type GuardFinding } from "./guard.ts";
import { kayentaShadow } from "./kayenta/shadow.ts";
import { brokenLimits, limitIsKept } from "./limits.ts";
import { placeboVouches } from "./placebo.ts";
import { whatWouldSettle } from "./settle.ts";
import { durationText, effectText, ratioText, rounded, type MetricFinding, type Verdict } from "./verdict.ts";

/**
 * Compares the devices that changed with those that did not, by re-drawing who they were. Pure: the same bundle gives
 * the same verdict, byte for byte. It never throws, and missing, constant or stale evidence neither promotes nor halts.
 * @see docs/spec/judge.md
 */
export function judge(bundle: Bundle): Verdict {
  return { ...judgeAlone(bundle), kayentaShadow: kayentaShadow(bundle) };
}

/** The verdict, without what another judge would have said. */
export function judgeAlone(bundle: Bundle): Verdict {
  const last = bundle.looks.at(-1);
  const undecided = last !== undefined && last.elapsedMs >= bundle.policy.horizonMs ? "INCONCLUSIVE" : "WAIT";
  const arrangement = arrange(bundle);
  const nothing = {
    advisory: bundle.draw.how === "handPicked",
    look: bundle.looks.length - 1,
    elapsedMs: last?.elapsedMs ?? 0,
    devices: {
      canary: bundle.draw.canary.length,
      baseline: bundle.devices.length - bundle.draw.canary.length,
    },
    spent: 0,
    smallestP: null,
    metrics: [],
    guard: null,
  };
  if (typeof arrangement === "string")
    return { ...nothing, verdict: undecided, because: `Nothing can be compared: ${arrangement}.` };
  const shape = {
    ...nothing,
    smallestP: rounded(smallestP(arrangement.logPossibleDraws, bundle.policy.draws)),
  };
  if (last === undefined)
    return {
      ...shape,
      verdict: undecided,
      because: "No evidence has come yet; the first look will bring it.",
    };
  const disorder = whatIsOutOfOrder(bundle);
  if (disorder !== undefined)
    return { ...shape, verdict: undecided, because: `The evidence cannot be read: ${disorder}.` };
  return decide(bundle, last, arrangement, undecided, shape);
}

type Shape = Omit<Verdict, "verdict" | "because">;

function decide(
  bundle: Bundle,
  last: Look,
  arrangement: Arrangement,
  undecided: "WAIT" | "INCONCLUSIVE",
  shape: Shape,
): Verdict {
  const absolute = firstAbsoluteHalt(bundle, arrangement);
  // Evidence from the look of an absolute halt on cannot have caused it.
  const until = absolute?.look ?? bundle.looks.length - 1;
  const replayed = { ...bundle, looks: bundle.looks.slice(0, until + 1) };
  const byComparison = bundle.policy.judgedBy === "comparison";
  const result: ComparisonResult = byComparison
    ? compareArms(replayed, arrangement)
    : { halt: undefined, latest: [], spent: 0, worstP: undefined };
  const trusted = bundle.draw.how === "drawn" || placeboVouches(bundle.draw.placebo, bundle.policy.alpha);
  const comparisonHalts =
    trusted && result.halt !== undefined && result.halt.look < (absolute?.look ?? Infinity);
  const at = comparisonHalts ? (result.halt?.look ?? until) : until;
  const look = bundle.looks[at] ?? last;
  const findings = result.latest.map((comparison) => findingOf(comparison, look, arrangement));
  const figures: Shape = {
    ...shape,
    look: at,
    elapsedMs: look.elapsedMs,
    spent: rounded(result.spent) ?? 0,
    metrics: findings,
    guard: guardAt(bundle, look),
  };
  const seen = `on ${shape.devices.canary} canary and ${shape.devices.baseline} baseline devices after ${durationText(look.elapsedMs)}`;
  const of = (comparison: Comparison): MetricFinding | undefined =>
    findings.find(({ metric }) => metric === comparison.metric.name);
  const told = (comparison: Comparison): string => {
    const finding = of(comparison);
    return finding === undefined ? comparison.metric.name : `${finding.metric} is ${effectText(finding)}`;
  };
  if (comparisonHalts && result.halt !== undefined)
    return {
      ...figures,
      verdict: "HALT",
      because: `${result.halt.metrics.map(told).join("; ")}, ${seen}; by chance alone a release would be halted in ${bundle.policy.alpha * 100} % of rollouts at most.`,
    };
  if (absolute !== undefined) return { ...figures, verdict: "HALT", because: absolute.because };
  const wait = (because: string): Verdict => ({ ...figures, verdict: undecided, because });
  const shared = brokenLimits(bundle.metrics, look, arrangement);
  if (shared[0] !== undefined)
    return wait(
      `${shared[0].metric.name} is past its limit of ${shared[0].limit} in the canary and in the baseline alike, so it is not this release's doing; a person has to look.`,
    );
  if (!byComparison) return byLimits(bundle, look, arrangement, figures, wait);
  if (result.halt !== undefined)
    return wait(
      `${result.halt.metrics.map(told).join("; ")}, ${seen}, but the canary was picked by hand: this is advice, and a drawn canary would settle it.`,
    );
  const guarded = result.latest.filter(({ cleared }) => cleared !== undefined);
  if (guarded.length === 0)
    return wait("No metric has a margin, so nothing can be shown to be safe; give one to a metric.");
  if (look.elapsedMs < bundle.policy.soakMs)
    return wait(
      `No harm is shown ${seen}; whether there is none is asked at ${durationText(bundle.policy.soakMs)}, and that would settle it.`,
    );
  const open = guarded.find(({ cleared }) => cleared !== true);
  if (open !== undefined)
    return wait(
      `${told(open)}, ${seen}, and harm up to its margin is not ruled out: ${whatWouldSettle(open, arrangement, bundle.policy.alphaPromote)}.`,
    );
  if (bundle.draw.how === "handPicked")
    return wait(
      `All ${guarded.length} guarded metrics look safe ${seen}, but the canary was picked by hand: this is advice, and a drawn canary would settle it.`,
    );
  const ill = illness(figures.guard);
  if (ill !== undefined) return wait(ill);
  const closest = guarded.reduce((a, b) => (room(b) < room(a) ? b : a));
  return {
    ...figures,
    verdict: "PROMOTE",
    because: `All ${guarded.length} guarded metrics are shown to be within their margins ${seen}; nearest to its margin of ${ratioText(closest.metric.margin ?? null)}, ${told(closest)}.`,
  };
}

/** How much of the margin is left, as a share of it. */
function room({ metric, scale }: Comparison): number {
  return (metric.margin ?? 1) / ratioOf({ ...metric, direction: "up" }, scale?.difference ?? 0);
}

/** For a fleet too small to compare: every limited metric was seen enough of, by devices that are all well. */
function byLimits(
  bundle: Bundle,
  look: Look,
  arrangement: Arrangement,
  figures: Shape,
  wait: (because: string) => Verdict,
): Verdict {
  const age = durationText(look.elapsedMs);
  if (look.elapsedMs < bundle.policy.soakMs)
    return wait(
      `No limit is broken after ${age}; ${durationText(bundle.policy.soakMs)} of soak would settle it.`,
    );
  const limited = bundle.metrics.filter(({ limit }) => limit !== undefined);
  if (limited.length === 0)
    return wait("No metric has a limit, so nothing can be shown to be safe; give one to a metric.");
  const unseen = limited.find((metric) => {
    const { fresh, devices } = coverage(metric, bundle.looks, bundle.looks.indexOf(look), arrangement, true);
    return fresh < bundle.policy.coverageMin * devices || !limitIsKept(metric, look, arrangement);
  });
  if (unseen !== undefined)
    return wait(
      `${unseen.name} has not been seen enough on the ${figures.devices.canary} canary devices after ${age}; fresh data of at least ${unseen.limit?.exposureMin ?? 0} in its denominator would settle it.`,
    );
  const ill = illness(figures.guard);
  if (ill !== undefined) return wait(ill);
  if ((figures.guard?.updated ?? 0) === 0)
    return wait("No canary device is known to have the release; one that reports it would settle it.");
  return {
    ...figures,
    verdict: "PROMOTE",
    because: `All ${limited.length} metrics with a limit kept it on ${figures.devices.canary} canary devices over ${age}, and no device failed; the fleet is too small to compare.`,
  };
}

/** One failing device alone does not halt, but it does not promote either where the baseline does not fail as often. */
function illness(finding: GuardFinding | null): string | undefined {
  if (finding === null || finding.failed <= finding.toleratedRate * finding.updated + 1e-9) return undefined;
  return `${finding.failed} of ${finding.updated} updated devices fail (${finding.failing.join(", ")}), too few to halt and too many to promote; their recovery, or more failures, would settle it.`;
}

function guardAt(bundle: Bundle, look: Look): GuardFinding {
  return guard({
    devices: bundle.devices,
    canary: new Set(bundle.draw.canary),
    updated: look.updated,
    failing: look.failing,
    ...bundle.policy.guard,
  });
}

/** The first look at which the guard trips or a limit breaks. */
function firstAbsoluteHalt(
  bundle: Bundle,
  arrangement: Arrangement,
): { look: number; because: string } | undefined {
  for (const [index, look] of bundle.looks.entries()) {
    const whose = `${bundle.draw.canary.length} canary devices`;
    const because = absoluteHalt(bundle.metrics, look, arrangement, guardAt(bundle, look), whose);
    if (because !== undefined) return { look: index, because };
  }
  return undefined;
}

function whatIsOutOfOrder(bundle: Bundle): string | undefined {
  const names = bundle.metrics.map(({ name }) => name);
  if (new Set(names).size !== names.length) return "a metric is listed twice";
  for (const [index, look] of bundle.looks.entries())
    if (!(look.elapsedMs >= (bundle.looks[index - 1]?.elapsedMs ?? 0)))
      return `look ${index} is out of order`;
  return undefined;
}

function findingOf(comparison: Comparison, look: Look, arrangement: Arrangement): MetricFinding {
  const { metric, scale } = comparison;
  const values = look.values[metric.name];
  const interval = effectInterval(comparison, arrangement);
  const ends = [interval?.low, interval?.high].map((end) =>
    end === undefined ? undefined : ratioOf(metric, end),
  );
  // Where less is harm, the most harmful end is the lowest ratio.
  if (metric.direction === "down" && metric.kind !== "liveness") ends.reverse();
  return {
    metric: metric.name,
    halting: isHalting(metric),
    p: rounded(comparison.p),
    ratio: scale === undefined ? null : rounded(ratioOf(metric, scale.difference)),
    ratioLow: rounded(ends[0]),
    ratioHigh: rounded(ends[1]),
    canaryLevel: rounded(levelOf(metric, values, arrangement, true)?.value),
    baselineLevel: rounded(levelOf(metric, values, arrangement, false)?.value),
    margin: metric.margin ?? null,
    cleared: comparison.cleared ?? null,
    lacks: comparison.lacks ?? null,
  };
}

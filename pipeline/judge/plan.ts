import { logPossibleDraws, smallestP } from "./arrangement.ts";
import type { JudgePolicy, Metric, Pair } from "./bundle.ts";
import { isHalting, isTwoSided } from "./comparison.ts";
import { exp, log, normalCdf, normalQuantile } from "./exact-math.ts";
import { negligibleOf, outcomeOf, pastOf } from "./outcome.ts";
import { criticalValue, overlaps } from "./overlaps.ts";
import { Retiring } from "./retiring.ts";
import { rounded } from "./verdict.ts";

/** What the fleet has shown before: per metric, per device, one pair for each of `bucketMs`, oldest first. */
export interface FleetHistory {
  readonly devices: readonly { readonly thing: string; readonly stratum: string; readonly cluster: string }[];
  readonly bucketMs: number;
  readonly metrics: Readonly<Record<string, readonly (readonly Pair[])[]>>;
}

export interface PlanInput {
  readonly policy: JudgePolicy;
  readonly metrics: readonly Metric[];
  readonly canaryDevices: number;
}

export interface PlannedMetric {
  readonly metric: string;
  readonly margin: number | null;
  /**
   * Hours since assignment → the smallest ratio found with a chance of 80 %; null where history does not reach, or where
   * it is too early for any halt by comparison.
   */
  readonly detectableRatio: Readonly<Record<"1" | "6" | "24", number | null>>;
  /** Standard deviation over devices of the adjusted logarithm at the end of the soak. */
  readonly sd: number | null;
  /** Chance that an unchanged release is cleared of this metric at the end of the soak; null without a margin. */
  readonly clears: number | null;
  /** Canary devices, with the baseline in proportion, for a chance of 99 % of being cleared. */
  readonly canaryDevicesFor99: number | null;
}

export interface Plan {
  readonly smallestP: number;
  readonly haltByComparison:
    | { readonly possible: true }
    | { readonly possible: false; readonly because: string };
  readonly metrics: readonly PlannedMetric[];
  /** For a release that changes nothing; the chance of promotion is a lower bound over all metrics together. */
  readonly unchanged: { readonly promote: number | null; readonly haltMax: number };
}

const HOUR_MS = 3_600_000;

/** What a rollout could find and promote, before it begins, by the fleet's own history. */
export function plan(history: FleetHistory, input: PlanInput): Plan {
  const { policy, metrics, canaryDevices } = input;
  const { units, canary, weight } = armsOf(history, canaryDevices);
  const least = smallestP(logPossibleDraws([units], [canary]), policy.draws);
  const planned = metrics.map((metric) => planMetric(history, metric, input, canary, weight));
  const guarded = planned.filter((_, index) => metrics[index]?.margin !== undefined);
  // Whatever depends on what: the chance that all clear is at least one less all chances that one does not.
  const promote = guarded.some(({ clears }) => clears === null)
    ? null
    : guarded.reduce(
        (rest, { clears }) => rest - (1 - (clears ?? 0)),
        1 - (policy.alpha * Math.min(policy.soakMs, policy.horizonMs)) / policy.horizonMs,
      );
  const halting = metrics.some(isHalting);
  const possible = policy.judgedBy === "comparison" && halting && least <= policy.alpha;
  return {
    smallestP: rounded(least) ?? 1,
    haltByComparison: possible
      ? { possible }
      : { possible, because: whyNot(policy, halting, least, canary, units) },
    metrics: planned,
    unchanged: {
      promote: guarded.length === 0 || promote === null ? null : (rounded(Math.max(0, promote)) ?? 0),
      haltMax: possible ? policy.alpha : 0,
    },
  };
}

function whyNot(policy: JudgePolicy, halting: boolean, least: number, canary: number, units: number): string {
  if (policy.judgedBy === "limits") return "this target is judged by the guard and the absolute limits only";
  if (!halting) return "no metric is halting";
  return `${canary} of ${units} can be drawn in so few ways that the smallest p is ${least.toPrecision(2)}, above alpha = ${policy.alpha}: draw more canary devices, or judge by limits`;
}

function planMetric(
  history: FleetHistory,
  metric: Metric,
  input: PlanInput,
  canary: number,
  weight: number,
): PlannedMetric {
  const { policy } = input;
  const sdAt = (hours: number): number | undefined => residualSd(history, metric, hours * HOUR_MS);
  const detectable = (hours: number): number | null => {
    const halt = haltAt(history, metric, input, weight, hours);
    if (halt === undefined) return null;
    // What is halted depends on the size of the effect, and that is asked for: a few rounds settle it.
    let size = 0;
    for (let round = 0; round < 8; round++) size = halt.from(size) + normalQuantile(0.8) * halt.error;
    return rounded(exp(size));
  };
  const sd = sdAt(policy.soakMs / HOUR_MS) ?? sdAt(longestHours(history));
  const spent = policy.alphaPromote * Math.min(1, policy.soakMs / policy.horizonMs);
  const room = metric.margin === undefined ? undefined : log(metric.margin);
  const clears =
    room === undefined || sd === undefined || weight === 0
      ? null
      : sd < 1e-9
        ? // All alike: evidence only where a level is negligible.
          negligibleOf(metric) > 0
          ? 1
          : 0
        : clearChance(metric, (room * Math.sqrt(weight)) / sd - normalQuantile(1 - spent));
  const needed =
    room === undefined || sd === undefined || weight === 0
      ? null
      : ((normalQuantile(1 - spent) + normalQuantile(0.99)) * sd) / room;
  return {
    metric: metric.name,
    margin: metric.margin ?? null,
    detectableRatio: { "1": detectable(1), "6": detectable(6), "24": detectable(24) },
    sd: rounded(sd),
    clears: rounded(clears ?? undefined),
    canaryDevicesFor99: needed === null ? null : Math.max(1, Math.ceil((canary * needed * needed) / weight)),
  };
}

/** Chance that harm of this ratio is halted by so many hours since the assignment; undefined beyond the history. */
export function detectionChance(
  history: FleetHistory,
  input: PlanInput,
  metricName: string,
  ratio: number,
  hours: number,
): number | undefined {
  const metric = input.metrics.find(({ name }) => name === metricName);
  const { weight } = armsOf(history, input.canaryDevices);
  const halt = metric && haltAt(history, metric, input, weight, hours);
  return halt && normalCdf((log(ratio) - halt.from(log(ratio))) / halt.error);
}

/**
 * From which estimate of an effect of this size (both are logarithms) a halt comes, and the estimate's standard error;
 * undefined where history does not reach, or where so little of alpha is spent that no draw can be retired.
 */
function haltAt(
  history: FleetHistory,
  metric: Metric,
  { policy, metrics, canaryDevices }: PlanInput,
  weight: number,
  hours: number,
): { readonly from: (size: number) => number; readonly error: number } | undefined {
  const spent = policy.alpha * Math.min(1, (hours * HOUR_MS) / policy.horizonMs);
  const sd = residualSd(history, metric, hours * HOUR_MS);
  if (sd === undefined || weight === 0 || !new Retiring(policy.draws + 1).canRetire(spent)) return undefined;
  const error = sd / Math.sqrt(weight);
  // Metrics that can halt share what is spent; a metric with two harmful directions halves its part.
  const shares = Math.max(1, metrics.filter(isHalting).length) * (isTwoSided(metric) ? 2 : 1);
  const { canary, units } = armsOf(history, canaryDevices);
  const kinds = overlaps(canary, units - canary);
  const least = log(metric.minEffect);
  return {
    from: (size) => Math.max(criticalValue(kinds, size / error, spent / shares) * error, least),
    error,
  };
}

function armsOf(history: FleetHistory, canaryDevices: number) {
  const units = new Set(history.devices.map(({ cluster }) => cluster)).size;
  const canary = Math.min(canaryDevices, Math.max(0, units - 1));
  return { units, canary, weight: canary === 0 ? 0 : (canary * (units - canary)) / units };
}

function clearChance(metric: Metric, z: number): number {
  const one = normalCdf(z);
  // Both directions must be ruled out.
  return isTwoSided(metric) ? Math.max(0, 2 * one - 1) : one;
}

function longestHours(history: FleetHistory): number {
  const buckets = Math.max(
    0,
    ...Object.values(history.metrics).flatMap((devices) => devices.map((list) => list.length)),
  );
  return (Math.floor(buckets / 2) * history.bucketMs) / HOUR_MS;
}

/**
 * The spread over devices of what a window of this length shows beyond what the time before it predicts, averaged over
 * up to six windows of the history. At least as much time must lie before a window, or a day.
 */
function residualSd(history: FleetHistory, metric: Metric, windowMs: number): number | undefined {
  const devices = history.metrics[metric.name] ?? [];
  const buckets = Math.max(0, ...devices.map((list) => list.length));
  const window = Math.round(windowMs / history.bucketMs);
  const past = Math.min(buckets - window, Math.ceil((24 * HOUR_MS) / history.bucketMs));
  if (window < 1 || past < Math.min(window, (24 * HOUR_MS) / history.bucketMs)) return undefined;
  const windows = Math.min(6, buckets - window - past + 1);
  let squares = 0;
  let used = 0;
  for (let index = 0; index < windows; index++) {
    const start = past + Math.floor((index * (buckets - window - past)) / Math.max(1, windows - 1));
    const total = (from: number, to: number) => devices.map((list) => sumOf(list.slice(from, to)));
    const variance = residualVariance(
      history,
      metric,
      total(start, start + window),
      total(start - past, start),
    );
    if (variance === undefined) continue;
    squares += variance;
    used++;
  }
  return used === 0 ? undefined : Math.sqrt(squares / used);
}

function residualVariance(
  history: FleetHistory,
  metric: Metric,
  now: readonly Pair[],
  before: readonly Pair[],
): number | undefined {
  const outcome = outcomeOf(metric, now, pastOf(metric, before, history.devices.length));
  const known = [...outcome.now].flatMap((y, device) =>
    Number.isNaN(y) ? [] : [{ y, x: outcome.before[device] ?? Number.NaN }],
  );
  if (known.length < 4) return undefined;
  const both = known.filter(({ x }) => !Number.isNaN(x));
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const meanY = mean(known.map(({ y }) => y));
  const meanX = mean(both.map(({ x }) => x));
  const sxx = both.reduce((sum, { x }) => sum + (x - meanX) * (x - meanX), 0);
  const sxy = both.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0);
  const slope = sxx > 1e-18 ? sxy / sxx : 0;
  const squares = known.reduce((sum, { x, y }) => {
    const rest = y - meanY - (Number.isNaN(x) ? 0 : slope * (x - meanX));
    return sum + rest * rest;
  }, 0);
  // Devices without data count as the mean, as they do in the judge.
  return squares / Math.max(1, history.devices.length - 2);
}

function sumOf(pairs: readonly Pair[]): Pair {
  let numerator = 0;
  let denominator = 0;
  for (const pair of pairs) {
    if (pair === null) continue;
    numerator += pair[0];
    denominator += pair[1];
  }
  return denominator > 0 ? [numerator, denominator] : null;
}

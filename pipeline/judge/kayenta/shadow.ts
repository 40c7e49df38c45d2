import type { Bundle, Metric } from "../bundle.ts";
import { isHalting } from "../comparison.ts";
import { rounded } from "../verdict.ts";
import { classify, defaultSettings, type Class, type MetricSettings } from "./classify.ts";
import { lagOneAutocorrelation, pointsOf } from "./points.ts";
import { score } from "./score.ts";

/** What Kayenta's judge would have said of the same evidence. It is shown beside a verdict and decides nothing. */
export type KayentaShadow =
  | {
      readonly shadow: true;
      readonly says: "Pass" | "Marginal" | "Fail";
      /** Of 100. */
      readonly score: number;
      readonly metrics: readonly ShadowedMetric[];
      readonly warnings: readonly string[];
    }
  | { readonly shadow: true; readonly says: null; readonly because: string };

export interface ShadowedMetric {
  readonly metric: string;
  readonly class: Class;
  readonly critical: boolean;
  /** Advisory here: classified there, and left out of the score. */
  readonly muted: boolean;
  /** Mean of the canary's points to mean of the baseline's. */
  readonly meanRatio: number | null;
  readonly points: { readonly canary: number; readonly baseline: number };
}

/** Kayenta's own guidance asks for so many points of each metric in each run. */
const POINTS_MIN = 50;
/** Above it, points are not as independent as its test takes them to be. */
const AUTOCORRELATION_MAX = 0.1;
/** Thresholds of its sample configurations. */
const THRESHOLDS = { pass: 95, marginal: 75 } as const;

/**
 * Its defaults (any effect counts, points that are not numbers dropped, outliers kept), one group, and of each metric
 * the harmful direction. A metric that can halt here is critical there; an advisory one is muted.
 */
export function kayentaShadow(bundle: Bundle): KayentaShadow {
  try {
    return shadowed(bundle);
  } catch (thrown) {
    return { shadow: true, says: null, because: `It failed: ${String(thrown)}.` };
  }
}

function shadowed({ devices, draw, metrics, looks }: Bundle): KayentaShadow {
  if (!metrics.some(isHalting))
    return { shadow: true, says: null, because: "No metric can halt, so none would be scored." };
  const canary = new Set(draw.canary);
  const isCanary = devices.map(({ thing }) => canary.has(thing));
  const warnings: string[] = [];
  const shown = metrics.map((metric): ShadowedMetric => {
    const x = pointsOf(metric, looks, isCanary);
    const y = pointsOf(
      metric,
      looks,
      isCanary.map((is) => !is),
    );
    const points = { canary: known(x), baseline: known(y) };
    warnings.push(...doubts(metric.name, points, [x, y]));
    const classified = classify(x, y, settingsOf(metric));
    return {
      metric: metric.name,
      class: classified.class,
      critical: classified.critical,
      muted: !isHalting(metric),
      meanRatio: rounded(classified.effect),
      points,
    };
  });
  const { total, says } = score(
    shown.map((one) => ({ ...one, group: "all" })),
    { weights: { all: 100 }, ...THRESHOLDS },
  );
  return { shadow: true, says, score: total, metrics: shown, warnings };
}

function settingsOf(metric: Metric): MetricSettings {
  const up = metric.kind === "liveness" || metric.direction === "up";
  return {
    ...defaultSettings,
    direction: up ? "increase" : metric.direction === "down" ? "decrease" : "either",
    critical: isHalting(metric),
  };
}

function known(points: readonly number[]): number {
  return points.filter((point) => !Number.isNaN(point)).length;
}

/** Where the test's own assumptions do not hold. */
function doubts(
  name: string,
  points: ShadowedMetric["points"],
  series: readonly (readonly number[])[],
): string[] {
  const fewest = Math.min(points.canary, points.baseline);
  const correlation = Math.max(...series.map((one) => lagOneAutocorrelation(one) ?? 0));
  return [
    ...(fewest < POINTS_MIN ? [`${name}: ${fewest} points, fewer than ${POINTS_MIN}`] : []),
    ...(correlation > AUTOCORRELATION_MAX
      ? [`${name}: lag-1 autocorrelation ${rounded(correlation, 2)}, above ${AUTOCORRELATION_MAX}`]
      : []),
  ];
}

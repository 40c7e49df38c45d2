import { normalQuantile } from "../exact-math.ts";
import { cleaned, withoutOutliers, type NanStrategy } from "./clean-up.ts";
import { commonLanguage, meanRatio } from "./effect-size.ts";
import { shiftInterval, type ShiftInterval } from "./shift-interval.ts";

export interface MetricSettings {
  readonly direction: "increase" | "decrease" | "either";
  readonly critical: boolean;
  readonly mustHaveData: boolean;
  readonly nan: NanStrategy;
  /** Interquartile ranges beyond which a point is dropped; undefined keeps all. */
  readonly outlierFactor: number | undefined;
  readonly effect: EffectSettings;
}

/** Sizes from which a difference counts, and from which it is critical. The defaults mean any. */
export interface EffectSettings {
  readonly measure: "meanRatio" | "commonLanguage";
  readonly allowedIncrease: number;
  readonly allowedDecrease: number;
  readonly criticalIncrease: number;
  readonly criticalDecrease: number;
}

const any = { allowedIncrease: 1, allowedDecrease: 1, criticalIncrease: 1, criticalDecrease: 1 };

export const defaultSettings: MetricSettings = {
  direction: "either",
  critical: false,
  mustHaveData: false,
  nan: "remove",
  outlierFactor: undefined,
  effect: { measure: "meanRatio", ...any },
};

/** What the judge passes to its test, whatever its configuration says. */
export const JUDGE = { confidence: 0.98, tolerance: 0.25 } as const;

export type Class = "Pass" | "High" | "Low" | "Nodata" | "NodataFailMetric" | "Error";

export interface Classified {
  readonly class: Class;
  /** A critical metric that fails by enough: the whole canary fails. */
  readonly critical: boolean;
  readonly effect?: number;
  readonly interval?: ShiftInterval;
}

/** One metric of canary and baseline, in Kayenta's order of decision. */
export function classify(
  experiment: readonly number[],
  control: readonly number[],
  settings: MetricSettings,
  judge: { readonly confidence: number; readonly tolerance: number } = JUDGE,
): Classified {
  try {
    return decided(prepared(experiment, settings), prepared(control, settings), settings, judge);
  } catch {
    // Whatever is thrown makes this class, which neither the score nor the critical metrics count.
    return { class: "Error", critical: false };
  }
}

function prepared(points: readonly number[], { nan, outlierFactor }: MetricSettings): readonly number[] {
  const kept = cleaned(points, nan);
  return outlierFactor === undefined ? kept : withoutOutliers(kept, outlierFactor, true);
}

function decided(
  experiment: readonly number[],
  control: readonly number[],
  settings: MetricSettings,
  judge: { readonly confidence: number; readonly tolerance: number },
): Classified {
  const { direction, critical, effect } = settings;
  const pass: Classified = { class: "Pass", critical: false };
  if (experiment.length === 0 || control.length === 0) {
    if (settings.nan === "replaceByZero") return pass;
    return { class: settings.mustHaveData && !critical ? "NodataFailMetric" : "Nodata", critical };
  }
  if (isSame(experiment, control) || isConstant([...experiment, ...control])) return pass;
  const bothConstant = isConstant(experiment) && isConstant(control);
  const x = bothConstant ? spread(experiment) : experiment;
  const y = bothConstant ? spread(control) : control;
  const interval = shiftInterval(x, y, judge.confidence);
  // Relative to the shift itself, not to the baseline.
  const bound = judge.tolerance * Math.abs(interval.estimate);
  const size = (effect.measure === "meanRatio" ? meanRatio : commonLanguage)(x, y);
  const atLeast = (least: number) => Number.isNaN(size) || size >= least;
  const atMost = (most: number) => Number.isNaN(size) || size <= most;
  const shown = { effect: size, interval };
  if (direction !== "decrease" && interval.low > bound && atLeast(effect.allowedIncrease))
    return { class: "High", critical: critical && atLeast(effect.criticalIncrease), ...shown };
  if (direction !== "increase" && interval.high < -bound && atMost(effect.allowedDecrease))
    return { class: "Low", critical: critical && atMost(effect.criticalDecrease), ...shown };
  return { ...pass, ...shown };
}

function isSame(x: readonly number[], y: readonly number[]): boolean {
  const sorted = y.toSorted((a, b) => a - b);
  return (
    x.length === y.length && x.toSorted((a, b) => a - b).every((value, index) => value === sorted[index])
  );
}

function isConstant(values: readonly number[]): boolean {
  return values.every((value) => value === values[0]);
}

/**
 * Two constants would be tied throughout, so each is given a spread of a hundred-thousandth of itself. Kayenta draws it
 * at random; here it is the normal distribution's own quantiles, so that the same bundle says the same.
 */
function spread(values: readonly number[]): readonly number[] {
  return values.map((value, index) => value * (1 + 1e-5 * normalQuantile((index + 0.5) / values.length)));
}

import type { Class } from "./classify.ts";

export interface Scored {
  readonly group: string;
  readonly class: Class;
  /** A failure that fails the whole canary. */
  readonly critical: boolean;
  /** Shown, and not counted. */
  readonly muted: boolean;
}

export interface ScoreSettings {
  /** Shares of 100; groups without one share equally what is left. */
  readonly weights: Readonly<Record<string, number>>;
  readonly pass: number;
  readonly marginal: number;
}

export interface Score {
  readonly total: number;
  readonly says: "Pass" | "Marginal" | "Fail";
}

/** At so large a share of metrics without data the canary fails. */
const NO_DATA_SHARE_MAX = 0.5;

export function score(metrics: readonly Scored[], settings: ScoreSettings): Score {
  const total = totalOf(
    metrics.filter(({ muted }) => !muted),
    settings.weights,
  );
  return { total, says: total >= settings.pass ? "Pass" : total >= settings.marginal ? "Marginal" : "Fail" };
}

function totalOf(counted: readonly Scored[], weights: ScoreSettings["weights"]): number {
  if (counted.some((metric) => metric.critical && metric.class !== "Pass")) return 0;
  const noData = counted.filter((metric) => metric.class === "Nodata").length;
  if (counted.length > 0 && noData >= NO_DATA_SHARE_MAX * counted.length) return 0;
  const groups = Map.groupBy(counted, ({ group }) => group);
  const given = [...groups.keys()].reduce((sum, group) => sum + (weights[group] ?? 0), 0);
  const without = [...groups.keys()].filter((group) => weights[group] === undefined).length;
  let total = 0;
  for (const [group, metrics] of groups)
    total += (groupScore(metrics) * (weights[group] ?? (100 - given) / without)) / 100;
  return Math.round(total * 100) / 100;
}

/** A group in which nothing can be counted is worth all of its weight. */
function groupScore(metrics: readonly Scored[]): number {
  const passed = metrics.filter((metric) => metric.class === "Pass").length;
  const failed = metrics.filter(
    ({ class: one }) => one === "High" || one === "Low" || one === "NodataFailMetric",
  );
  const counted = passed + failed.length;
  return counted === 0 ? 100 : (100 * passed) / counted;
}

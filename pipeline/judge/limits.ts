import type { Look, Metric } from "./bundle.ts";
import { levelOf, type Arms, type Level } from "./evidence.ts";

export interface LimitFinding {
  readonly metric: Metric;
  readonly canary: Level;
  /** The baseline is past the limit as well: not this release's doing, so a person has to look. */
  readonly baselineToo: boolean;
  readonly limit: number;
}

/** Metrics whose canary, as a whole, is past an absolute limit. */
export function brokenLimits(metrics: readonly Metric[], look: Look, arms: Arms): LimitFinding[] {
  return metrics.flatMap((metric) => {
    if (metric.limit === undefined) return [];
    const values = look.values[metric.name];
    const canary = levelOf(metric, values, arms, true);
    if (canary === undefined) return [];
    const limit = passed(metric, canary);
    if (limit === undefined) return [];
    const baseline = levelOf(metric, values, arms, false);
    return [
      {
        metric,
        canary,
        baselineToo: baseline !== undefined && passed(metric, baseline) !== undefined,
        limit,
      },
    ];
  });
}

/** Enough was seen of the metric to say that its limit is kept. */
export function limitIsKept(metric: Metric, look: Look, arms: Arms): boolean {
  const canary = levelOf(metric, look.values[metric.name], arms, true);
  return (
    metric.limit !== undefined &&
    canary !== undefined &&
    canary.exposure >= metric.limit.exposureMin &&
    passed(metric, canary) === undefined
  );
}

function passed(metric: Metric, level: Level): number | undefined {
  const { limit } = metric;
  if (limit === undefined || level.exposure < limit.exposureMin) return undefined;
  if (limit.above !== undefined && level.value > limit.above) return limit.above;
  if (limit.below !== undefined && level.value < limit.below) return limit.below;
  return undefined;
}

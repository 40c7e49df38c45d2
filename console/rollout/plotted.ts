import type { Level, MetricSeries } from "@coalmine/contract/operator-api";

/** In the order of `plotted`'s columns behind the time. */
export const columns = [
  "baseline",
  "baselineLow",
  "baselineHigh",
  "canary",
  "canaryLow",
  "canaryHigh",
  "above",
  "below",
] as const;

/** What a chart draws: times in seconds, then a column each; null is a gap, never a zero, and no line leads over it. */
export function plotted({
  looks,
  limit = {},
}: Pick<MetricSeries, "looks" | "limit">): [number[], ...(number | null)[][]] {
  const of = (arm: "canary" | "baseline", end: keyof Omit<Level, "devices">): (number | null)[] =>
    looks.map((look) => look[arm]?.[end] ?? null);
  const flat = (value: number | undefined): (number | null)[] => looks.map(() => value ?? null);
  return [
    looks.map(({ atMs }) => atMs / 1000),
    of("baseline", "level"),
    of("baseline", "low"),
    of("baseline", "high"),
    of("canary", "level"),
    of("canary", "low"),
    of("canary", "high"),
    flat(limit.above),
    flat(limit.below),
  ];
}

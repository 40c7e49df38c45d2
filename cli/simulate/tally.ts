import type { Halt, MetricFigures } from "./decision.ts";
import type { SeedRollout } from "./seed-rollout.ts";

/** What became of one release over all of its seeds. */
export interface Tally {
  readonly seeds: number;
  readonly halted: number;
  readonly promotable: number;
  /** What stopped it, as people say it, and on how many seeds: a metric, the guard, or that it did not arrive. */
  readonly by: readonly { readonly what: string; readonly seeds: number }[];
  /** Medians over the seeds that the first of those stopped, where it is a metric. */
  readonly metric: Median<"p" | "ratio" | "ratioLow" | "ratioHigh"> | undefined;
  /** The same where it is the guard. */
  readonly guard: Median<"eValue" | "failed" | "updated"> | undefined;
  /** Over all seeds. */
  readonly elapsedMsMedian: number;
  readonly elapsedMsMax: number;
  readonly exposedMax: number;
}

export function tallyOf(rollouts: readonly SeedRollout[]): Tally {
  const count = (ended: SeedRollout["ended"]) => rollouts.filter((one) => one.ended === ended).length;
  const causes = rollouts.flatMap((one) => (one.ended === "halted" ? causesOf(one.halt) : []));
  const by = [...Map.groupBy(causes, ({ what }) => what)].sort(([, a], [, b]) => b.length - a.length);
  const first = by[0]?.[1] ?? [];
  const elapsed = rollouts.map(({ elapsedMs }) => elapsedMs);
  return {
    seeds: rollouts.length,
    halted: count("halted"),
    promotable: count("promotable"),
    by: by.map(([what, of]) => ({ what, seeds: of.length })),
    metric: medians(
      first.flatMap(({ metric }) => metric ?? []),
      ["p", "ratio", "ratioLow", "ratioHigh"],
    ),
    guard: medians(
      first.flatMap(({ guard }) => guard ?? []),
      ["eValue", "failed", "updated"],
    ),
    elapsedMsMedian: median(elapsed) ?? 0,
    elapsedMsMax: Math.max(0, ...elapsed),
    exposedMax: Math.max(0, ...rollouts.map(({ exposed }) => exposed)),
  };
}

interface Cause {
  /** As people say it. */
  readonly what: string;
  readonly metric?: MetricFigures;
  readonly guard?: Extract<Halt, { by: "guard" }>;
}

/** What stopped a rollout; several metrics may do it together. */
export function causesOf(halt: Halt): Cause[] {
  if (halt.by === "arrival") return [{ what: "too few that arrived" }];
  if (halt.by === "guard") return [{ what: "the guard", guard: halt }];
  return halt.metrics.map((metric) => ({
    what: halt.by === "limit" ? `${metric.metric}, past its limit` : metric.metric,
    metric,
  }));
}

type Median<Name extends string> = Readonly<Record<Name, number>>;

/** The median of each figure by itself; what is unknown counts nothing. */
function medians<Name extends string>(
  of: readonly Readonly<Record<Name, number | null>>[],
  names: readonly Name[],
): Median<Name> | undefined {
  if (of.length === 0) return undefined;
  const found = names.map((name) => [name, median(of.flatMap((one) => one[name] ?? [])) ?? Number.NaN]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one entry a name.
  return Object.fromEntries(found) as Median<Name>;
}

/** Of an even number the lower one of the middle two, which was seen; undefined of none. */
function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
}

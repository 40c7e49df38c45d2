import type { SeedRollout } from "./seed-rollout.ts";

/** What became of one release over all of its seeds. */
export interface Tally {
  readonly seeds: number;
  readonly halted: number;
  readonly promotable: number;
  /** What stopped it, as people say it, and on how many seeds: a metric, the guard, or that it did not arrive. */
  readonly by: readonly { readonly what: string; readonly seeds: number }[];
  /** Of the metric that halted on most seeds, medians over those; undefined where none did. */
  readonly metric:
    | { readonly p: number; readonly ratio: number; readonly ratioLow: number; readonly ratioHigh: number }
    | undefined;
  /** Of the guard, where it halted. */
  readonly guard: { readonly eValue: number; readonly failed: number; readonly updated: number } | undefined;
  /** Over all seeds. */
  readonly elapsedMsMedian: number;
  readonly elapsedMsMax: number;
  readonly exposedMax: number;
}

export function tallyOf(rollouts: readonly SeedRollout[]): Tally {
  const count = (ended: SeedRollout["ended"]) => rollouts.filter((one) => one.ended === ended).length;
  const by = [
    ...Map.groupBy(
      rollouts.flatMap((one) => whatHalted(one)),
      (what) => what,
    ),
  ]
    .map(([what, of]) => ({ what, seeds: of.length }))
    .sort((a, b) => b.seeds - a.seeds);
  const elapsed = rollouts.map(({ elapsedMs }) => elapsedMs);
  return {
    seeds: rollouts.length,
    halted: count("halted"),
    promotable: count("promotable"),
    by,
    metric: medians(
      rollouts.flatMap((one) => one.metrics.filter((_, index) => whatHalted(one)[index] === by[0]?.what)),
      ["p", "ratio", "ratioLow", "ratioHigh"],
    ),
    guard: medians(
      rollouts.flatMap(({ guard }) => guard ?? []),
      ["eValue", "failed", "updated"],
    ),
    elapsedMsMedian: median(elapsed) ?? 0,
    elapsedMsMax: Math.max(0, ...elapsed),
    exposedMax: Math.max(0, ...rollouts.map(({ exposed }) => exposed)),
  };
}

/** What stopped a rollout; nothing where it was not halted. */
export function whatHalted({ ended, by, metrics }: SeedRollout): string[] {
  if (ended !== "halted") return [];
  if (by === "guard") return ["the guard"];
  if (by === "arrival") return ["too few arrived"];
  return metrics.map(({ metric }) => (by === "limit" ? `${metric} (limit)` : metric));
}

/** The median of each figure by itself; what is unknown counts nothing. */
function medians<Name extends string>(
  of: readonly Readonly<Record<Name, number | null>>[],
  names: readonly Name[],
): Record<Name, number> | undefined {
  if (of.length === 0) return undefined;
  const found = names.map((name) => [name, median(of.flatMap((one) => one[name] ?? [])) ?? Number.NaN]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one entry a name.
  return Object.fromEntries(found) as Record<Name, number>;
}

/** Of an even number the lower one of the middle two, which was seen; undefined of none. */
function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
}

import type { Metric } from "../bundle.ts";
import { fleets } from "../fleets.ts";
import { detectionChance } from "../plan.ts";
import { quietHours } from "../trial.ts";
import { trialPolicy, verdictsOf } from "../trials.ts";

export interface PowerCell {
  readonly canary: number;
  readonly baseline: number;
  /** By how much the release multiplies the errors. */
  readonly ratio: number;
}

/** Chances of finding the harm, by hours since the assignment. */
export interface Power {
  readonly found: Readonly<Record<number, number>>;
  readonly planned: Readonly<Record<number, number>>;
  /** Of those that were found. */
  readonly medianHours: number | undefined;
}

/** One history says by chance a little too much or too little; the formula is what is asked about. */
const HISTORIES = 10;

/** On the reference fleet with a look every half-hour; planned from five days of other such fleets' past. */
export function power(
  { canary, baseline, ratio }: PowerCell,
  metrics: readonly Metric[],
  runs: number,
  hours: readonly number[],
): Power {
  const seed = `power/${canary}/${ratio}`;
  const sizes = { canary, baseline, errorRatio: ratio, hours: Math.max(...hours) };
  const foundAt = verdictsOf(runs, seed, { ...sizes, metrics })
    .filter(({ verdict }) => verdict === "HALT")
    .map(({ elapsedMs }) => elapsedMs / 3_600_000)
    .toSorted((a, b) => a - b);
  const histories = Array.from({ length: HISTORIES }, (_, index) =>
    quietHours(fleets.F1, canary + baseline, 120, `${seed}/${index}`, metrics),
  );
  const input = { policy: trialPolicy, metrics, canaryDevices: canary };
  const name = metrics[0]?.name ?? "";
  const byHours = (chance: (hours: number) => number) =>
    Object.fromEntries(hours.map((one) => [one, chance(one)]));
  return {
    found: byHours((one) => foundAt.filter((at) => at <= one).length / runs),
    planned: byHours((one) =>
      histories.reduce(
        (sum, history) => sum + (detectionChance(history, input, name, ratio, one) ?? 0) / HISTORIES,
        0,
      ),
    ),
    medianHours: foundAt[foundAt.length >> 1],
  };
}

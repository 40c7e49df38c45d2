import { JudgePolicy, Metric } from "./bundle.ts";
import { referenceFleet } from "./fleets.ts";
import { judgeAlone } from "./judge.ts";
import { trial, type Trial } from "./trial.ts";
import type { Verdict } from "./verdict.ts";

const DAY_MS = 86_400_000;

/** The rule that the gates below are stated for: 1 % over a day, promotion asked once at its end. */
export const trialPolicy: JudgePolicy = JudgePolicy.parse({
  judgedBy: "comparison",
  soakMs: DAY_MS,
  horizonMs: DAY_MS,
  guard: {},
});

export const trialMetrics: readonly Metric[] = [
  Metric.parse({ name: "errors", kind: "ratio", direction: "up", role: "halting", margin: 1.5 }),
  Metric.parse({ name: "heartbeats", kind: "liveness", direction: "up", role: "halting" }),
];

/** So many metrics that can each halt a release, and heartbeats beside them, as always. */
export function manyMetrics(count: number): readonly Metric[] {
  const errors = Array.from({ length: count }, (_, index) =>
    Metric.parse({ name: `errors ${index + 1}`, kind: "ratio", direction: "up", role: "halting" }),
  );
  return [...errors, ...trialMetrics.filter(({ kind }) => kind === "liveness")];
}

/** Ten canaries beside a hundred of the reference fleet, for a day of half-hourly looks, unless it is said otherwise. */
export function trialOf(seed: string, changes: Partial<Trial> = {}): Trial {
  return {
    traits: referenceFleet,
    seed,
    canary: 10,
    baseline: 100,
    errorRatio: 1,
    looks: 48,
    metrics: trialMetrics,
    policy: trialPolicy,
    ...changes,
  };
}

/** The rule on so many fleets, each with its own seed. */
export function verdictsOf(runs: number, seed: string, changes: Partial<Trial> = {}): Verdict[] {
  return Array.from({ length: runs }, (_, run) => judgeAlone(trial(trialOf(`${seed}/${run}`, changes))));
}

/**
 * The most events that `runs` trials of this chance give, but for one time in a thousand: what a gate may observe of a
 * rule that keeps its promise.
 */
export function binomialBound(runs: number, chance: number): number {
  let term = 1;
  for (let run = 0; run < runs; run++) term *= 1 - chance;
  let below = 0;
  let count = 0;
  for (; below + term < 0.999 && count < runs; count++) {
    below += term;
    term *= ((runs - count) / (count + 1)) * (chance / (1 - chance));
  }
  return count;
}

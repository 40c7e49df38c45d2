import { JudgePolicy, Metric } from "./bundle.ts";
import { referenceFleet, trial, type FleetTraits, type Trial } from "./fleets.ts";
import { judge } from "./judge.ts";
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

export interface Gate {
  readonly runs: number;
  readonly looks: number;
  readonly canary: number;
  readonly baseline: number;
  readonly errorRatio: number;
  readonly traits: FleetTraits;
  readonly seed: string;
  readonly metrics: readonly Metric[];
  readonly policy: JudgePolicy;
  readonly trial: Partial<Trial>;
}

/**
 * Runs a rule on so many fleets, each with its own seed. The short form stands in the ordinary tests; the gates of
 * 2,000 runs and more call this with larger `runs`.
 */
export function verdictsOf(gate: Partial<Gate>): Verdict[] {
  const { runs = 200, looks = 48, canary = 10, baseline = 100, errorRatio = 1, seed = "gate" } = gate;
  return Array.from({ length: runs }, (_, run) =>
    judge(
      trial({
        traits: gate.traits ?? referenceFleet,
        metrics: gate.metrics ?? trialMetrics,
        policy: gate.policy ?? trialPolicy,
        seed: `${seed}/${run}`,
        canary,
        baseline,
        errorRatio,
        looks,
        ...gate.trial,
      }),
    ),
  );
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

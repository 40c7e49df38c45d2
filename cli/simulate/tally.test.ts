import { expect, test } from "vitest";
import type { MetricFigures } from "./decision.ts";
import type { SeedRollout } from "./seed-rollout.ts";
import { tallyOf } from "./tally.ts";
import { tallyTold } from "./told.ts";

const HOUR_MS = 3_600_000;
const shape = { seed: "1", because: "", exposed: 10, wallSeconds: 1 };

function byComparison(hours: number, ...metrics: MetricFigures[]): SeedRollout {
  return { ...shape, elapsedMs: hours * HOUR_MS, ended: "halted", halt: { by: "comparison", metrics } };
}

const figures = (metric: string, ratio: number): MetricFigures => ({
  metric,
  p: 0.001 * ratio,
  ratio,
  ratioLow: ratio - 1,
  ratioHigh: ratio + 1,
});

test("medians are of what stopped most seeds, each over the seeds that it stopped", () => {
  const tally = tallyOf([
    byComparison(1, figures("model run", 3)),
    byComparison(4, figures("model run", 5), figures("heartbeats", 9)),
    byComparison(2, figures("model run", 4)),
    { ...shape, elapsedMs: 18 * HOUR_MS, ended: "undecided" },
  ]);
  expect(tally).toMatchObject({
    seeds: 4,
    halted: 3,
    promotable: 0,
    by: [
      { what: "model run", seeds: 3 },
      { what: "heartbeats", seeds: 1 },
    ],
    metric: { p: 0.004, ratio: 4, ratioLow: 3, ratioHigh: 5 },
    guard: undefined,
    elapsedMsMedian: 2 * HOUR_MS,
    elapsedMsMax: 18 * HOUR_MS,
  });
  expect(tallyTold(tally)).toBe(
    "halted on 3 of 4 seeds; neither on 1; median time to the verdict 2 h, longest 18 h; stopped by model run (3), heartbeats (1)",
  );
});

test("where the guard stops a release its evidence stands in the place of a metric's", () => {
  const tripped = { by: "guard", failed: 10, updated: 10, eValue: 1e12 } as const;
  const tally = tallyOf([{ ...shape, elapsedMs: HOUR_MS, ended: "halted", halt: tripped }]);
  expect(tally).toMatchObject({
    by: [{ what: "the guard", seeds: 1 }],
    metric: undefined,
    guard: { eValue: 1e12, failed: 10, updated: 10 },
  });
});

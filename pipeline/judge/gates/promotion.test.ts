import { expect, test } from "vitest";
import type { Metric } from "../bundle.ts";
import { binomialBound, trialMetrics, verdictsOf } from "../trials.ts";
import { percent, recordRows } from "./figures.ts";

interface Cell {
  readonly canary: number;
  readonly baseline: number;
  readonly margin: number;
  /** What the release does to the errors: nothing, or as much harm as the margin. */
  readonly ratio: number;
  readonly leastPromoted?: number;
  readonly mostPromoted?: number;
}

const isLong = process.env["COALMINE_LONG"] === "1";
const RUNS = isLong ? 2000 : 80;
const sizes = { canary: 10, baseline: 100 };
const short: readonly Cell[] = [
  { ...sizes, margin: 1.5, ratio: 1, leastPromoted: 0.95 },
  { ...sizes, margin: 1.5, ratio: 1.5, mostPromoted: 0.05 },
];
const long: readonly Cell[] = [
  ...short,
  { ...sizes, margin: 1.25, ratio: 1 },
  { ...sizes, margin: 1.25, ratio: 1.25, mostPromoted: 0.05 },
  { canary: 5, baseline: 50, margin: 1.5, ratio: 1 },
  { canary: 5, baseline: 50, margin: 1.5, ratio: 1.5, mostPromoted: 0.05 },
  { canary: 20, baseline: 200, margin: 1.25, ratio: 1 },
  { canary: 20, baseline: 200, margin: 1.25, ratio: 1.25, mostPromoted: 0.05 },
];

test.each(isLong ? long : short)(
  "$canary beside $baseline at a margin of $margin, with $ratio times the errors [judge-3.2] [judge-3.7]",
  { timeout: 3_600_000 },
  ({ canary, baseline, margin, ratio, leastPromoted, mostPromoted }) => {
    const [errors] = trialMetrics;
    // Advisory where there is harm: halting would take most of these before the end.
    const metrics: Metric[] = errors
      ? [{ ...errors, margin, role: ratio === 1 ? "halting" : "advisory" }]
      : [];
    const seed = `promotion/${canary}/${margin}/${ratio}`;
    const changes = { canary, baseline, errorRatio: ratio, looks: 1, metrics };
    const promoted = verdictsOf(RUNS, seed, changes).filter(({ verdict }) => verdict === "PROMOTE").length;
    if (isLong)
      recordRows(
        {
          title: "Releases that were promoted at 24 h",
          keys: 3,
          columns: ["canary and baseline", "margin", "errors times", "runs", "promoted", "demanded"],
        },
        [
          [
            `${canary} and ${baseline}`,
            margin,
            ratio,
            RUNS,
            percent(promoted / RUNS),
            leastPromoted !== undefined
              ? `at least ${percent(leastPromoted)}`
              : mostPromoted !== undefined
                ? `at most ${percent(mostPromoted)}`
                : "",
          ],
        ],
      );
    if (leastPromoted !== undefined)
      expect(RUNS - promoted).toBeLessThanOrEqual(binomialBound(RUNS, 1 - leastPromoted));
    if (mostPromoted !== undefined) expect(promoted).toBeLessThanOrEqual(binomialBound(RUNS, mostPromoted));
  },
);

import { expect, test } from "vitest";
import type { Trial } from "../trial.ts";
import { binomialBound, trialMetrics, trialPolicy, verdictsOf } from "../trials.ts";
import { percent, recordRows } from "./figures.ts";
import { power, type Power, type PowerCell } from "./power.ts";

interface Cell extends PowerCell {
  /** Hours since the assignment → the least chance of having found it. */
  readonly demanded: Readonly<Record<number, number>>;
}

const isLong = process.env["COALMINE_LONG"] === "1";
const errors = trialMetrics.slice(0, 1);

const short: readonly Cell[] = [{ canary: 10, baseline: 100, ratio: 1.5, demanded: { 6: 0.7, 24: 0.95 } }];
const long: readonly Cell[] = [
  { canary: 5, baseline: 50, ratio: 1.5, demanded: {} },
  { canary: 5, baseline: 50, ratio: 2, demanded: { 6: 0.8, 24: 0.95 } },
  { canary: 5, baseline: 50, ratio: 3.5, demanded: { 3: 0.95 } },
  { canary: 10, baseline: 100, ratio: 1.25, demanded: {} },
  ...short,
  { canary: 10, baseline: 100, ratio: 2, demanded: {} },
  { canary: 20, baseline: 200, ratio: 1.25, demanded: { 24: 0.85 } },
  { canary: 20, baseline: 200, ratio: 1.5, demanded: {} },
];

const titled = {
  title: "Harm that was found, in 1,000 runs each",
  keys: 3,
  columns: [
    "canary and baseline",
    "errors times",
    "judged by",
    "by 3 h",
    "by 6 h",
    "by 24 h",
    "median",
    "planned",
  ],
};
const HOURS = [3, 6, 24];

function record(cell: PowerCell, judgedBy: string, { found, planned, medianHours }: Power): void {
  const shown = (chances: Power["found"]) => HOURS.map((hours) => percent(chances[hours] ?? 0));
  recordRows(titled, [
    [
      `${cell.canary} and ${cell.baseline}`,
      cell.ratio,
      judgedBy,
      ...shown(found),
      medianHours === undefined ? "" : `${medianHours} h`,
      shown(planned).join(", "),
    ],
  ]);
}

test.each(isLong ? long : short)(
  "$canary beside $baseline find $ratio times the errors, as often as demanded and as planned [judge-2.2] [judge-2.13] [judge-6.4]",
  { timeout: 3_600_000 },
  (cell) => {
    const runs = isLong ? 1000 : 80;
    const result = power(cell, errors, runs, HOURS);
    if (isLong) {
      record(cell, "errors", result);
      record(cell, "errors and heartbeats", power(cell, trialMetrics, runs, HOURS));
    }
    for (const [hours, least] of Object.entries(cell.demanded)) {
      const chance = result.found[Number(hours)] ?? 0;
      expect(Math.round((1 - chance) * runs), `missed by ${hours} h`).toBeLessThanOrEqual(
        binomialBound(runs, 1 - least),
      );
      const noise = isLong ? 0 : 2 * Math.sqrt((chance * (1 - chance)) / runs);
      expect(
        Math.abs((result.planned[Number(hours)] ?? 0) - chance),
        `as planned for ${hours} h`,
      ).toBeLessThan(0.07 + noise);
    }
  },
);

test("heartbeats beside the errors cost no more power than half of alpha would [judge-2.11]", () => {
  const runs = 150;
  const found = (changes: Partial<Trial>) =>
    verdictsOf(runs, "power/5/2", { canary: 5, baseline: 50, errorRatio: 2, hours: 6, ...changes }).filter(
      ({ verdict }) => verdict === "HALT",
    ).length / runs;
  const half = { ...trialPolicy, alpha: trialPolicy.alpha / 2 };
  expect(found({ metrics: trialMetrics })).toBeGreaterThan(found({ metrics: errors, policy: half }) - 0.08);
});

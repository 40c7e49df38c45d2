import { expect, test } from "vitest";
import { fleets, type FleetName } from "../fleets.ts";
import { binomialBound } from "../trials.ts";
import { percent, recordRows } from "./figures.ts";
import { haltsOfUnchanged, type Schedule } from "./unchanged.ts";

interface Cell {
  readonly fleet: FleetName;
  /** Beside the heartbeats. */
  readonly metrics: number;
  readonly runs: number;
  readonly schedules: readonly Schedule[];
}

const isLong = process.env["COALMINE_LONG"] === "1";
const MANY_RUNS = 2000;
const names = Object.keys(fleets) as FleetName[];

const short: readonly Cell[] = [
  { fleet: "F1", metrics: 1, runs: MANY_RUNS, schedules: ["48"] },
  ...names
    .slice(1)
    .flatMap((fleet) => [1, 5].map((metrics): Cell => ({ fleet, metrics, runs: 200, schedules: ["48"] }))),
  { fleet: "F1", metrics: 20, runs: 200, schedules: ["48"] },
  { fleet: "F1", metrics: 1, runs: 200, schedules: ["288", "random"] },
];
const long: readonly Cell[] = names.flatMap((fleet) => [
  { fleet, metrics: 1, runs: MANY_RUNS, schedules: ["48", "288", "random"] },
  { fleet, metrics: 5, runs: MANY_RUNS, schedules: ["48", "288"] },
  { fleet, metrics: 20, runs: MANY_RUNS, schedules: ["48", "288"] },
]);

/** 1 %, and three standard errors of it. */
function haltsMax(runs: number): number {
  return runs === MANY_RUNS ? 0.017 * MANY_RUNS : binomialBound(runs, 0.01);
}

test.each(isLong ? long : short)(
  "an unchanged release is halted in one of a hundred rollouts at most: $fleet, $metrics metrics, looks $schedules [judge-2.1] [judge-2.12]",
  { timeout: 3_600_000 },
  ({ fleet, metrics, runs, schedules }) => {
    const halts = haltsOfUnchanged(fleet, metrics, runs, schedules);
    if (isLong)
      recordRows(
        {
          title: "Unchanged releases that were halted",
          keys: 3,
          columns: ["fleet", "metrics beside heartbeats", "looks a day", "runs", "halted", "at most"],
        },
        schedules.map((schedule) => [
          fleet,
          metrics,
          schedule,
          runs,
          percent(halts[schedule] / runs),
          percent(haltsMax(runs) / runs),
        ]),
      );
    for (const schedule of schedules)
      expect(halts[schedule], `${schedule} looks`).toBeLessThanOrEqual(haltsMax(runs));
  },
);

import { expect, test } from "vitest";
import type { Trial } from "../trial.ts";
import { binomialBound, verdictsOf } from "../trials.ts";
import { percent, recordRows } from "./figures.ts";

const isLong = process.env["COALMINE_LONG"] === "1";
const five = { canary: 5, baseline: 50, hours: 1 };
const silent = { how: "silent", atMinutes: 0 } as const;
const looping = (atMinutes: number) => ({ how: "crashLoop", atMinutes }) as const;

function halted(runs: number, seed: string, changes: Partial<Trial>, withinMinutes: number): number {
  const verdicts = verdictsOf(runs, seed, changes);
  const count = verdicts.filter(
    ({ verdict, elapsedMs }) => verdict === "HALT" && elapsedMs <= withinMinutes * 60_000,
  ).length;
  if (isLong)
    recordRows(
      {
        title: "Catastrophes and outages",
        keys: 1,
        columns: ["what happens", "runs", "halted", "within"],
      },
      [[seed, runs, percent(count / runs), withinMinutes === 1440 ? "24 h" : `${withinMinutes} min`]],
    );
  return count;
}

test("three of five bricked canaries halt within three heartbeats [judge-4.5]", { timeout: 600_000 }, () => {
  const runs = isLong ? 2000 : 20;
  const changes = { ...five, looks: 288, failing: [silent, silent, silent] };
  const count = halted(runs, "3 of 5 canaries silent from the start, a heartbeat every 5 min", changes, 15);
  expect(runs - count).toBeLessThanOrEqual(binomialBound(runs, 0.01));
});

test("three of five crash loops halt within a minute of the third [judge-4.5]", { timeout: 600_000 }, () => {
  const runs = isLong ? 2000 : 20;
  const changes = { ...five, looks: 1440, failing: [looping(3), looping(7), looping(12)] };
  const count = halted(runs, "3 of 5 canaries in crash loops from minutes 3, 7 and 12", changes, 13);
  expect(runs - count).toBeLessThanOrEqual(binomialBound(runs, 0.01));
  const two = { ...changes, failing: changes.failing.slice(1) };
  expect(verdictsOf(1, "two crash loops", two)).toMatchObject([{ verdict: "WAIT" }]);
});

test("an outage of two fifths of both arms does not halt [judge-2.9]", { timeout: 3_600_000 }, () => {
  const runs = isLong ? 2000 : 100;
  const count = halted(runs, "40 % of both arms out for the day", { outageShare: 0.4 }, 1440);
  expect(count).toBeLessThanOrEqual(isLong ? 34 : binomialBound(runs, 0.01));
});

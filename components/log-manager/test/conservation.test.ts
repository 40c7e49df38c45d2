import { expect, test } from "vitest";
import { loneComponent } from "../../../simulator/fleet/hosted/lone-component.ts";
import { Schedule } from "./schedule.ts";

const given = (seed: string) => loneComponent(seed, Date.UTC(2026, 10, 23, 9));

const isLong = process.env["COALMINE_LONG"] === "1";
const schedules = Number(process.env["COALMINE_SCHEDULES"] ?? (isLong ? 6000 : 150));
const only = process.env["COALMINE_SCHEDULE"];

/** Schedules that once broke a promise, and what it was. */
test.each([
  ["1159", "what only the journal tells is synced at the next start, before the power can go"],
  ["1349", "a copy whose original was removed between two looks goes again, rather than not at all"],
  ["2481", "what a killed process had on its way may be stored after what the next one sends"],
  ["2612", "a compressed file on the inode of a file that never had a whole line is taken for what it is"],
  ["3022", "the names of events are on disk before the events go, so that a power cut does not change them"],
])("schedule %s: %s", async (seed) => {
  expect(await new Schedule(given(seed), false).play()).toEqual([]);
});

/** Each seed is one schedule; a failure names it: COALMINE_SCHEDULE=<seed> runs it alone. */
test(
  `whatever happens to the files, the line and the process, no complete line is lost that could be read (${schedules} schedules)`,
  { timeout: 3_600_000 },
  async () => {
    const seeds = only === undefined ? Array.from({ length: schedules }, (_, n) => String(n)) : [only];
    const failures: string[] = [];
    const totals = { lines: 0, unreadable: 0, repeated: 0, kills: 0, corrected: 0 };
    for (const seed of seeds) {
      const schedule = new Schedule(given(seed), only !== undefined);
      const faults = await schedule.play();
      if (faults.length > 0) failures.push(`seed ${seed}: ${faults.join("; ")}`);
      totals.lines += schedule.totals.lines;
      totals.unreadable += schedule.totals.unreadable;
      totals.repeated += schedule.totals.repeated;
      totals.kills += schedule.totals.kills;
      totals.corrected += schedule.totals.corrected;
      if (failures.length >= 5) break;
    }
    expect(failures).toEqual([]);
    // The schedules do what they are for: without these nothing was tried.
    if (only === undefined)
      for (const [what, total] of Object.entries(totals))
        expect(total, what).toBeGreaterThan(seeds.length / (what === "corrected" ? 100 : 10));
  },
);

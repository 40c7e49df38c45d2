import { nodeCrypto } from "@coalmine/device/crypto";
import { DrivenClock, SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { acceptBatch } from "../../../simulator/cloud/logs/put-log-events.ts";
import { Life } from "../../../simulator/fleet/hosted/life.ts";
import { livingFiles } from "../../../simulator/fleet/hosted/living-files.ts";
import { livingAws, livingClock, livingIpc } from "../../../simulator/fleet/hosted/living-ports.ts";
import { Schedule } from "./schedule.ts";
import type { Given } from "./world.ts";

/** The real rules of the service, a driven clock, and lives that end as a process does. */
function given(seed: string): Given {
  const random = new SeededRandom(seed);
  return {
    clock: new DrivenClock(Date.UTC(2026, 10, 23, 9), () => new Promise(setImmediate)),
    random,
    crypto: nodeCrypto,
    rules: (events, nowMs) => acceptBatch(events, nowMs, undefined),
    living: {
      life: () => new Life(),
      clock: (clock, life) => livingClock(clock, life as Life),
      ipc: (ipc, life) => livingIpc(ipc, life as Life),
      files: (files, life, clock) => livingFiles(files, life as Life, clock, () => 3),
      cloudLogs: (cloudLogs, life) =>
        livingAws({ cloudLogs, objects: undefined as never, streams: undefined as never }, life as Life)
          .cloudLogs,
    },
  };
}

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
    const totals = { lines: 0, unreadable: 0, repeated: 0, kills: 0 };
    for (const seed of seeds) {
      const schedule = new Schedule(given(seed), only !== undefined);
      const faults = await schedule.play();
      if (faults.length > 0) failures.push(`seed ${seed}: ${faults.join("; ")}`);
      totals.lines += schedule.totals.lines;
      totals.unreadable += schedule.totals.unreadable;
      totals.repeated += schedule.totals.repeated;
      totals.kills += schedule.totals.kills;
      if (failures.length >= 5) break;
    }
    expect(failures).toEqual([]);
    // The schedules do what they are for: without these nothing was tried.
    if (only === undefined)
      for (const [what, total] of Object.entries(totals))
        expect(total, what).toBeGreaterThan(seeds.length / 10);
  },
);

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { systemClock } from "@coalmine/runtime/system-clock";
import { expect, test } from "vitest";
import { mutants } from "../simulator/fleet/mutants/catalogue.ts";
import type { Change } from "../simulator/fleet/mutants/change.ts";
import type { SeedRollout } from "../cli/simulate/seed-rollout.ts";
import { simulate } from "../cli/simulate/simulate.ts";
import { tallyOf } from "../cli/simulate/tally.ts";
import { byTold, rolloutTold } from "../cli/simulate/told.ts";
import { places } from "../cli/system/state.ts";
import { cacheFolder } from "../pipeline/build/cache-folder.ts";
import { recordRows } from "../pipeline/judge/gates/figures.ts";

/**
 * Each planted regression on the driven target alone, past whatever would stop it earlier, under the real controller,
 * judge and policy. The long form writes `docs/regressions.md`; `COALMINE_SEEDS` makes it shorter.
 */
const isLong = process.env["COALMINE_LONG"] === "1";
const SEEDS = isLong ? Number(process.env["COALMINE_SEEDS"] ?? 20) : 1;
/** What two cores live through in an hour, for all releases and seeds. */
const DEVICES = 16;
const HOUR_MS = 3_600_000;
const LIMIT_MS = isLong ? 4 * HOUR_MS : 300_000;

const root = dirname(import.meta.dirname);
const at = places(root, { COALMINE_CACHE: cacheFolder(root, process.env) });
const real = readFileSync(join(root, "pipeline/policy.yaml"), "utf8");
/** A day of the past is most of what a seed takes. */
const policy = isLong ? real : real.replace("prePeriod: 24 h", "prePeriod: 1 h");

const page = {
  file: new URL("../docs/regressions.md", import.meta.url),
  head: `# Planted regressions, and what stops them

Written by \`npm run test:long -- test/regressions.test.ts\`, row by row: each is of the last run of its test. Every seed is a fleet of
its own of hosted devices, on the driven target alone, with the real controller, judge and \`pipeline/policy.yaml\`; nothing before
the canary is asked. \`npx coalmine simulate --regression NAME --first-seed N --devices D\` gives one of them again.

p, effect (with the ends of its 95 % interval) and hours are medians over the seeds. Hours count from the assignment, on the devices'
clock, and the judge looks once an hour; 1,999 draws give no smaller p than 0.0005. Each device turns \`crash-at-start\` back by
itself: the guard counts that at its first look, before the deadline at which too few would have arrived. \`unchanged\` is the
running release under new versions.
`,
};
const table = {
  title: "By release",
  keys: 1,
  columns: [
    "release",
    "halted",
    "devices",
    "stopped by (seeds)",
    "p",
    "effect",
    "hours to the verdict",
    "the longest",
    "exposed",
  ],
};

/** Of the catalogue those of which a verdict of the judge is expected, whatever came before. */
const judged = ["crash-at-start", "drops-readings", "slow-inference", "wrong-calibration"] as const;
const releases: readonly (readonly [name: string, halted: "every" | "no", change: Change | undefined])[] = [
  ...judged.map((name) => [name, "every", mutants[name]] as const),
  ["unchanged", "no", undefined],
];

test.each(isLong ? releases : releases.filter(([name]) => name === "wrong-calibration"))(
  "%s is halted on %s seed",
  async (name, halted, change) => {
    const rollouts = await rolled(name, change);
    expect(rollouts.filter(({ ended }) => (ended === "halted") !== (halted === "every"))).toEqual([]);
  },
  LIMIT_MS,
);

/** Rolls a release onto a fleet of its own for each seed, and records what became of it. */
async function rolled(name: string, change: Change | undefined): Promise<SeedRollout[]> {
  const rollouts = await simulate({
    at,
    change,
    policy,
    seeds: Array.from({ length: SEEDS }, (_, index) => String(index + 1)),
    devices: DEVICES,
    regionsMax: 2,
    clock: systemClock,
    signal: new AbortController().signal,
    told: (rollout) => isLong && console.log(`${name}, ${rolloutTold(rollout)}`),
  });
  expect(rollouts).toHaveLength(SEEDS);
  if (isLong) recordRows(table, [rowOf(name, rollouts)], page);
  return rollouts;
}

function rowOf(name: string, rollouts: readonly SeedRollout[]): (string | number)[] {
  const { halted, by, metric, guard, elapsedMsMedian, elapsedMsMax, exposedMax } = tallyOf(rollouts);
  const hours = (ms: number) => Number((ms / HOUR_MS).toFixed(1));
  const figures =
    guard !== undefined
      ? [`evidence ${guard.eValue.toPrecision(2)} to 1`, `${guard.failed} of ${guard.updated} devices fail`]
      : metric !== undefined
        ? [
            metric.p,
            `${metric.ratio.toPrecision(3)}× (${metric.ratioLow.toPrecision(3)}×–${metric.ratioHigh.toPrecision(3)}×)`,
          ]
        : ["–", "–"];
  return [
    name,
    `${halted} of ${SEEDS}`,
    DEVICES,
    by.length === 0 ? "–" : byTold(by),
    ...figures,
    hours(elapsedMsMedian),
    hours(elapsedMsMax),
    exposedMax,
  ];
}

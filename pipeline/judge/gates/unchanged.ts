import { SeededRandom } from "@coalmine/runtime";
import { arrange } from "../arrangement.ts";
import type { Bundle } from "../bundle.ts";
import { compareArms } from "../comparison.ts";
import { fleets, type FleetName } from "../fleets.ts";
import { everyNth, trial } from "../trial.ts";
import { manyMetrics, trialOf } from "../trials.ts";

/** When the judge looks during the day: so many times evenly, or as many times as half-hours, at random. */
export type Schedule = "48" | "288" | "random";

/** How many of so many unchanged releases are halted at any look. All schedules see the same fleets. */
export function haltsOfUnchanged(
  fleet: FleetName,
  metrics: number,
  runs: number,
  schedules: readonly Schedule[],
): Record<Schedule, number> {
  const halts = { "48": 0, "288": 0, random: 0 };
  const looks = schedules.every((one) => one === "48") ? 48 : 288;
  for (let run = 0; run < runs; run++) {
    const seed = `unchanged/${fleet}/${run}`;
    const bundle = trial(trialOf(seed, { traits: fleets[fleet], metrics: manyMetrics(metrics), looks }));
    const arrangement = arrange(bundle);
    if (typeof arrangement === "string") throw new Error(arrangement);
    for (const schedule of schedules) {
      // The rule itself: nothing else halts here, and the page that a verdict fills takes most of its time.
      const { halt } = compareArms(seenAt(bundle, schedule), arrangement);
      if (halt !== undefined) halts[schedule]++;
    }
  }
  return halts;
}

function seenAt(bundle: Bundle, schedule: Schedule): Bundle {
  if (schedule === "48") return everyNth(bundle, bundle.looks.length / 48);
  if (schedule === "288") return bundle;
  const random = new SeededRandom(`${bundle.draw.seed}/looks`);
  return { ...bundle, looks: bundle.looks.filter(() => random.next() < 1 / 6) };
}

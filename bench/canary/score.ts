import { median } from "../measure.ts";
import type { BenchJudge, Outcome } from "./judges.ts";
import { BASELINE_DEVICES, HOURS, rollout, type Rollout } from "./rollout.ts";
import type { BenchFleet, Harm } from "./scenarios.ts";

export interface Judged {
  readonly outcome: Outcome;
  /** Hours that devices ran the release. */
  readonly deviceHours: number;
}

/** What each judge makes of the same rollouts, one kept at a time: a day of a fleet is large. */
export function judgedBy(
  judges: readonly BenchJudge[],
  fleet: BenchFleet,
  harm: Harm,
  seed: string,
  runs: number,
): Judged[][] {
  const all = judges.map((): Judged[] => []);
  for (let run = 0; run < runs; run++) {
    const day = rollout(fleet, harm, `${seed}/${run}`);
    for (const [index, { judge }] of judges.entries()) {
      const outcome = judge(day);
      all[index]?.push({ outcome, deviceHours: deviceHoursOf(day, outcome) });
    }
  }
  return all;
}

/** A release that is let through runs on all other devices for as long again, until somebody notices. */
function deviceHoursOf({ installs }: Rollout, outcome: Outcome): number {
  const until = outcome.kind === "halt" ? outcome.atHours : HOURS;
  const onCanary = installs.reduce(
    (sum, install) => sum + (install.outcome === "failed" ? 0 : Math.max(0, until - install.atHours)),
    0,
  );
  return onCanary + (outcome.kind === "pass" ? BASELINE_DEVICES * HOURS : 0);
}

export function shareOf(judged: readonly Judged[], kind: Outcome["kind"]): number {
  return judged.filter(({ outcome }) => outcome.kind === kind).length / judged.length;
}

export function meanDeviceHours(judged: readonly Judged[]): number {
  return judged.reduce((sum, { deviceHours }) => sum + deviceHours, 0) / judged.length;
}

/** Median of those that were halted; undefined where none was. */
export function hoursToHalt(judged: readonly Judged[]): number | undefined {
  const hours = judged.flatMap(({ outcome }) => (outcome.kind === "halt" ? [outcome.atHours] : []));
  return hours.length === 0 ? undefined : median(hours);
}

import type { Bundle, Look } from "../../pipeline/judge/bundle.ts";
import { judgeAlone } from "../../pipeline/judge/judge.ts";
import { kayentaShadow } from "../../pipeline/judge/kayenta/shadow.ts";
import { pointsOf } from "../../pipeline/judge/kayenta/points.ts";
import { pooled } from "../../pipeline/judge/outcome.ts";
import { CANARY_DEVICES, HOURS, LOOKS, type Rollout } from "./rollout.ts";

/** What a judge makes of a rollout: it stops it at some time, or lets it through at the end, or asks a person then. */
export type Outcome =
  | { readonly kind: "halt"; readonly atHours: number }
  | { readonly kind: "pass" }
  | { readonly kind: "hold" };

export interface BenchJudge {
  readonly name: string;
  /** Where its rule is from. */
  readonly rule: string;
  /** What its user chooses. */
  readonly setting?: { readonly value: number; readonly unit: string };
  readonly judge: (rollout: Rollout) => Outcome;
}

const pass: Outcome = { kind: "pass" };
const LOOKS_AN_HOUR = LOOKS / HOURS;

export const ours: BenchJudge = {
  name: "Coalmine",
  rule: "`pipeline/judge`: re-randomisation over devices at 1 %, spent evenly over the day, 1,999 re-draws; the guard at 1 % tolerated; a look every 5 min. Errors and latency have a margin of 1.3: what is not shown to be below it is left to a person. A canary picked by hand has no past windows to vouch for it, so what it shows is advice.",
  judge: ({ bundle }) => {
    const { verdict, elapsedMs } = judgeAlone(bundle);
    if (verdict === "HALT") return { kind: "halt", atHours: elapsedMs / 3_600_000 };
    return verdict === "PROMOTE" ? pass : { kind: "hold" };
  },
};

/** Its own guidance: no judgement on fewer points. */
const KAYENTA_POINTS_MIN = 50;

export const kayenta: BenchJudge = {
  name: "Kayenta",
  rule: "`NetflixACAJudge-v1.0` with its defaults, as the shadow judge computes it: series of 5 min from each arm, all metrics critical. Judged every hour from 50 points on, on all points so far; each time it has to reach 75, at last 95.",
  judge: ({ bundle }) => {
    for (let looks = LOOKS_AN_HOUR; looks <= LOOKS; looks += LOOKS_AN_HOUR) {
      if (looks < KAYENTA_POINTS_MIN) continue;
      const shadow = kayentaShadow({ ...bundle, looks: bundle.looks.slice(0, looks) });
      const isLast = looks === LOOKS;
      if (shadow.says === "Fail" || (isLast && shadow.says !== "Pass"))
        return { kind: "halt", atHours: looks / LOOKS_AN_HOUR };
    }
    return pass;
  },
};

interface Threshold {
  readonly everyLooks: number;
  /** Of the canary's errors and latency, to what the whole fleet showed in the day before. */
  readonly timesUsual: number;
}

/** Argo's analysis: a metric fails once more than three of its measurements did; what is no number fails. */
export function argo(threshold: Threshold): BenchJudge {
  return {
    name: `Argo, every ${threshold.everyLooks * 5} min`,
    rule: `Argo Rollouts' background analysis: \`failureLimit: 3\` of each metric (the fourth failure aborts), a measurement every ${threshold.everyLooks * 5} min of what came since the last.`,
    setting: timesUsualOf(threshold),
    judge: (rollout) => {
      const failures = new Map<string, number>();
      return counted(rollout, threshold, (failed) => {
        for (const metric of failed) failures.set(metric, (failures.get(metric) ?? 0) + 1);
        return Math.max(0, ...failures.values()) > 3;
      });
    },
  };
}

/** Flagger's analysis: five failed checks, of whichever metric, roll back; no value is a failed check. */
export function flagger(threshold: Threshold): BenchJudge {
  return {
    name: `Flagger, every ${threshold.everyLooks * 5} min`,
    rule: `Flagger's analysis: \`threshold: 5\` failed checks of any metric, a check every ${threshold.everyLooks * 5} min of what came since the last; without a value a check fails.`,
    setting: timesUsualOf(threshold),
    judge: (rollout) => {
      let checks = 0;
      return counted(rollout, threshold, (failed) => {
        if (failed.length > 0) checks++;
        return checks >= 5;
      });
    },
  };
}

function timesUsualOf({ timesUsual }: Threshold) {
  return { value: timesUsual, unit: "x the fleet's day before" };
}

/** Asks, at every measurement, whether the metrics that failed in it end the rollout. */
function counted(
  { bundle }: Rollout,
  { everyLooks, timesUsual }: Threshold,
  ends: (failed: readonly string[]) => boolean,
): Outcome {
  const canary = new Set(bundle.draw.canary);
  const isCanary = bundle.devices.map(({ thing }) => canary.has(thing));
  const measured = bundle.looks.filter((_, index) => (index + 1) % everyLooks === 0);
  const series = bundle.metrics
    .filter(({ kind }) => kind !== "liveness")
    .map((metric) => ({
      name: metric.name,
      limit: timesUsual * pooled(metric, bundle.before[metric.name] ?? []),
      points: pointsOf(metric, measured, isCanary),
    }));
  for (const [index, look] of measured.entries()) {
    const failed = series.filter(({ points, limit }) => !((points[index] ?? Number.NaN) <= limit));
    if (ends(failed.map(({ name }) => name))) return { kind: "halt", atHours: hoursOf(look) };
  }
  return pass;
}

/** An execution that reports nothing for so long is timed out. */
const TIMED_OUT_HOURS = 1;

export function awsJobs(percent: number): BenchJudge {
  return {
    name: "AWS IoT Jobs",
    rule: `An abort criterion of a deployment's job configuration: ALL failures at a percentage once 5 executions have ended; executions time out after 60 min. AWS's own example, 5 % after 100, could not act on ten devices.`,
    setting: { value: percent, unit: "%" },
    judge: ({ bundle, installs }) =>
      firstLook(bundle, (hours) => {
        const ended = installs.flatMap(({ atHours, outcome }) => {
          const endHours = atHours + (outcome === "silent" ? TIMED_OUT_HOURS : 0);
          return endHours <= hours ? [outcome] : [];
        });
        const failed = ended.filter((outcome) => outcome !== "succeeded").length;
        return ended.length >= 5 && failed >= (percent / 100) * ended.length;
      }),
  };
}

export function hawkbit(percent: number): BenchJudge {
  return {
    name: "hawkBit",
    rule: `A rollout group's error threshold: paused where more than a percentage of the group reports an error; a target that never answers is no error. The next group waits for the day's end here; by default it begins once 50 % have succeeded.`,
    setting: { value: percent, unit: "%" },
    judge: ({ bundle, installs }) =>
      firstLook(bundle, (hours) => {
        const errors = installs.filter(({ atHours, outcome }) => outcome === "failed" && atHours <= hours);
        return errors.length > (percent / 100) * CANARY_DEVICES;
      }),
  };
}

function firstLook({ looks }: Bundle, stops: (hours: number) => boolean): Outcome {
  const look = looks.find((one) => stops(hoursOf(one)));
  return look === undefined ? pass : { kind: "halt", atHours: hoursOf(look) };
}

function hoursOf({ elapsedMs }: Look): number {
  return elapsedMs / 3_600_000;
}

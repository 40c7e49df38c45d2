import { EVIDENCE_FUNCTION } from "../handlers/evidence/evidence.ts";
import { FLEET_NAMESPACE } from "../handlers/evidence/fleet-metrics.ts";
import { CONTROLLER_FUNCTION, PASS_METRIC, ROLLOUT_NAMESPACE } from "../handlers/controller/passes.ts";

/** An alarm as data: what it watches, and what somebody does who hears it. */
export interface AlarmSpec {
  readonly name: string;
  readonly says: string;
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions?: Readonly<Record<string, string>>;
  readonly statistic: "Sum" | "Maximum" | "p90";
  readonly when: "above" | "below";
  readonly threshold: number;
  readonly periodSeconds: number;
  /** Periods, one after the other, that are so. */
  readonly periods: number;
  /** What it means that nothing was measured. */
  readonly silence: "breaching" | "notBreaching";
}

/** Where the runbook says what to do: a page has the alarm's name, up to a hyphen. */
export function pageOf({ name }: Pick<AlarmSpec, "name">): string {
  return `docs/runbook/${name.replace(/-.*$/, "")}.md`;
}

const functionErrors = (functionName: string, says: string): AlarmSpec => ({
  name: `CoalmineErrors-${functionName}`,
  says,
  namespace: "AWS/Lambda",
  metric: "Errors",
  dimensions: { FunctionName: functionName },
  statistic: "Sum",
  when: "above",
  threshold: 0,
  periodSeconds: 60,
  periods: 3,
  silence: "notBreaching",
});

/** Of the home region, where rollouts are decided. */
export const rolloutAlarms: readonly AlarmSpec[] = [
  {
    name: "CoalmineControllerLate",
    says: "The rollout controller has made no pass for five minutes: nothing is halted or rolled back meanwhile.",
    namespace: ROLLOUT_NAMESPACE,
    metric: PASS_METRIC,
    statistic: "Sum",
    when: "below",
    threshold: 1,
    periodSeconds: 60,
    periods: 5,
    silence: "breaching",
  },
  functionErrors(CONTROLLER_FUNCTION, "The rollout controller fails, pass after pass."),
];

/** Of each region with a fleet. */
export const fleetAlarms: readonly AlarmSpec[] = [
  {
    name: "CoalmineBacklog",
    says: "Nine devices of ten keep less than this, and now they keep more: measurements do not reach the lake.",
    namespace: FLEET_NAMESPACE,
    metric: "oldestAgeMs",
    dimensions: { component: "coalmine.StreamUploader" },
    statistic: "p90",
    when: "above",
    threshold: 6 * 3_600_000,
    periodSeconds: 300,
    periods: 3,
    silence: "notBreaching",
  },
  functionErrors(EVIDENCE_FUNCTION, "Evidence is not kept, and without it no rollout is promoted."),
];

import { plan, type FleetHistory, type Plan } from "./judge/plan.ts";
import { judging, targetPolicy, type Policy } from "./policy.ts";

export interface PolicyFit {
  readonly plan: Plan;
  /** Sentences with arithmetic: why this policy cannot work on this fleet. Empty where it can. */
  readonly refusals: readonly string[];
}

/** Whether a target's policy can work on the fleet that it is meant for, by what that fleet has shown. */
export function fitPolicy(policy: Policy, target: string, history: FleetHistory): PolicyFit {
  const own = targetPolicy(policy, target);
  const { policy: judge, metrics } = judging(policy, target);
  const planned = plan(history, { policy: judge, metrics, canaryDevices: own.canaryDevices });
  const devices = history.devices.length;
  const refusals: string[] = [];
  if (own.canaryDevices >= devices)
    refusals.push(
      `${target}: ${own.canaryDevices} canary devices of a fleet of ${devices} leave no baseline; lower canaryDevices below ${devices}`,
    );
  if (own.judgedBy === "limits") return { plan: planned, refusals };
  if (!planned.haltByComparison.possible) refusals.push(`${target}: ${planned.haltByComparison.because}`);
  const hours = own.prePeriod / 3_600_000;
  for (const metric of planned.metrics) {
    if (metric.margin === null) continue;
    if (metric.clears === null)
      refusals.push(
        `${target}: there is no history of "${metric.metric}" to compare with; ${hours} h of it are needed`,
      );
    else if (metric.clears < own.unchangedPromotedMin)
      refusals.push(
        `${target}: a margin of ${metric.margin} for "${metric.metric}" is below what the fleet can show: devices differ by ${metric.sd} (standard deviation of the logarithm), so an unchanged release is cleared in ${percent(metric.clears)} of rollouts, not ${percent(own.unchangedPromotedMin)}; ${metric.canaryDevicesFor99} canary devices or a larger margin would do`,
      );
  }
  const { promote } = planned.unchanged;
  if (refusals.length === 0 && promote !== null && promote < own.unchangedPromotedMin)
    refusals.push(
      `${target}: an unchanged release is promoted in ${percent(promote)} of rollouts over all metrics, not ${percent(own.unchangedPromotedMin)}; lower alpha (${judge.alpha}) or raise the tightest margins`,
    );
  return { plan: planned, refusals };
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(4))} %`;
}

import type { Device } from "./judge/bundle.ts";
import { DrawRefused } from "./judge/draw.ts";
import { plan, type FleetHistory, type Plan } from "./judge/plan.ts";
import { canaryFor, type Canary } from "./policy-canary.ts";
import { waysToDraw } from "./policy-draws.ts";
import { judging, targetPolicy, type Policy } from "./policy.ts";

export interface PolicyFit {
  readonly plan: Plan;
  /** How many devices are drawn, and why; undefined where no number would do. */
  readonly canary: Canary | undefined;
  /** Sentences with arithmetic: why this policy cannot work on this fleet. Empty where it can. */
  readonly refusals: readonly string[];
}

/** Whether a target's policy can work on the fleet that it is meant for, by what that fleet has shown. */
export async function fitPolicy(policy: Policy, target: string, history: FleetHistory): Promise<PolicyFit> {
  const own = targetPolicy(policy, target);
  const { policy: judge, metrics } = judging(policy, target);
  const chosen = await canaryFor(policy, target, history);
  const canary = typeof chosen === "string" ? undefined : chosen;
  const devices = canary?.devices ?? Math.min(own.unjudgedDevicesMax, history.devices.length - 1);
  const planned = plan(history, { policy: judge, metrics, canaryDevices: devices });
  const refusals =
    typeof chosen === "string" ? [chosen] : fitFleet(policy, target, history.devices, chosen.devices);
  if (own.judgedBy === "limits") return { plan: planned, canary, refusals };
  if (refusals.length === 0 && !planned.haltByComparison.possible)
    refusals.push(`${target}: ${planned.haltByComparison.because}`);
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
  return { plan: planned, canary, refusals };
}

/** What of that follows from the devices alone, without any history: whether there is a canary to draw, and enough ways to. */
export function fitFleet(
  policy: Policy,
  target: string,
  devices: readonly Device[],
  canaryDevices: number,
): string[] {
  const { judgedBy, alpha, draws } = targetPolicy(policy, target);
  if (canaryDevices >= devices.length)
    return [
      `${target}: ${canaryDevices} canary devices of a fleet of ${devices.length} leave no baseline; lower canaryDevices below ${devices.length}, or add devices`,
    ];
  const torn = tornCluster(devices);
  if (torn !== undefined)
    return [
      `${target}: cluster "${torn.cluster}" lies in the strata ${torn.strata.map((one) => `"${one}"`).join(" and ")}, but is drawn as a whole; choose strata that clusters lie within, or smaller clusters`,
    ];
  if (judgedBy === "limits") return [];
  try {
    const ways = waysToDraw(devices, canaryDevices, draws);
    if (ways.smallestP <= alpha) return [];
    return [
      `${target}: ${ways.drawnDevices} of ${devices.length} devices can be drawn in so few ways that the smallest p is ${ways.smallestP.toPrecision(2)}, above alpha = ${alpha}: nothing could ever be halted by comparison; draw more canary devices, make fewer strata or smaller clusters, or judge by limits`,
    ];
  } catch (thrown) {
    if (!(thrown instanceof DrawRefused)) throw thrown;
    return [`${target}: ${thrown.message}`];
  }
}

function tornCluster(devices: readonly Device[]): { cluster: string; strata: readonly string[] } | undefined {
  const stratumOf = new Map<string, string>();
  for (const { cluster, stratum } of devices) {
    const known = stratumOf.get(cluster) ?? stratum;
    if (known !== stratum) return { cluster, strata: [known, stratum] };
    stratumOf.set(cluster, known);
  }
  return undefined;
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(4))} %`;
}

import type { Arrangement } from "./arrangement.ts";
import type { Look, Metric, Pair } from "./bundle.ts";
import { negligibleOf, pooled, usable } from "./outcome.ts";

/** Events (or observations) that a release at its margin would have to add before none of them is evidence. */
export const EVENTS_EXPECTED_MIN = 10;

export interface Coverage {
  /** Devices with usable data that has grown since half-time. */
  readonly fresh: number;
  readonly devices: number;
}

/** How much of an arm has data, and data that still comes: numbers that stopped moving are not evidence of health. */
export function coverage(
  metric: Metric,
  looks: readonly Look[],
  index: number,
  arrangement: Arrangement,
  canary: boolean,
): Coverage {
  const look = looks[index];
  const half = looks.slice(0, index).findLast((one) => one.elapsedMs <= (look?.elapsedMs ?? 0) / 2);
  let fresh = 0;
  let devices = 0;
  for (let device = 0; device < arrangement.deviceCount; device++) {
    if ((arrangement.isCanary[device] === 1) !== canary) continue;
    devices++;
    const now = usable(metric, look?.values[metric.name]?.[device]);
    const then = usable(metric, half?.values[metric.name]?.[device]);
    if (now !== undefined && (then === undefined || now[1] > then[1])) fresh++;
  }
  return { fresh, devices };
}

/** Who is in which arm, which is all that levels need. */
export type Arms = Pick<Arrangement, "deviceCount" | "isCanary">;

export interface Level {
  readonly value: number;
  /** Sum of the denominators. */
  readonly exposure: number;
}

/** An arm's level as a whole: of liveness, the share that was not heard. Undefined without data. */
export function levelOf(
  metric: Metric,
  pairs: readonly Pair[] | undefined,
  arms: Arms,
  canary: boolean,
): Level | undefined {
  const own = (pairs ?? []).filter(
    (_, device) => device < arms.deviceCount && (arms.isCanary[device] === 1) === canary,
  );
  let exposure = 0;
  for (const pair of own) exposure += usable(metric, pair)?.[1] ?? 0;
  return exposure > 0 ? { value: pooled(metric, own), exposure } : undefined;
}

/** Whether harm at the margin would have shown in so much exposure. */
export function couldHaveBeenSeen(
  metric: Metric,
  canary: Level | undefined,
  baseline: Level | undefined,
): boolean {
  if (metric.margin === undefined || canary === undefined || baseline === undefined) return false;
  if (metric.kind === "mean") return canary.exposure >= EVENTS_EXPECTED_MIN;
  const change = (1 - 1 / metric.margin) * (baseline.value + negligibleOf(metric));
  return canary.exposure * change >= EVENTS_EXPECTED_MIN;
}

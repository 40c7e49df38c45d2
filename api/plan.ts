import * as z from "zod";
import { fleetOf } from "../pipeline/controller/fleet.ts";
import type { Region } from "../pipeline/controller/region.ts";
import { EvidenceStore, MINUTE_MS } from "../pipeline/evidence/evidence-store.ts";
import { fleetHistory } from "../pipeline/evidence/fleet-history.ts";
import type { FleetHistory } from "../pipeline/judge/plan.ts";
import { historyMsFor } from "../pipeline/policy-canary.ts";
import { fitPolicy, type PolicyFit } from "../pipeline/policy-fit.ts";
import { type DeviceZones, windowsFor } from "../pipeline/policy-windows.ts";
import { metricsOf, targetPolicy, type Policy } from "../pipeline/policy.ts";
import { isOpen, opensAt } from "../pipeline/rollout/windows.ts";
import { ApiError } from "./api-error.ts";
import { parseInput } from "./api.ts";

const HOUR_MS = 3_600_000;

export interface TargetPlan extends PolicyFit {
  readonly target: string;
  /** The same as figures, for a person. */
  readonly sentences: readonly string[];
}

/** A fleet as it is now, and what it has shown. */
export interface KnownFleet {
  readonly history: FleetHistory;
  readonly zones: DeviceZones;
  readonly nowMs: number;
}

/** What a target's canary could find and promote, and when it could begin, by what the fleet has shown. */
export async function plan(policy: Policy, target: string, fleet: KnownFleet): Promise<TargetPlan> {
  const { history, zones, nowMs } = fleet;
  const fit = await fitPolicy(policy, target, history);
  const windows = windowsFor(policy, target, zones, nowMs);
  const refusals = [...fit.refusals, ...(typeof windows === "string" ? [windows] : [])];
  const { smallestP, haltByComparison, metrics, unchanged } = fit.plan;
  return {
    ...fit,
    refusals,
    target,
    sentences: [
      ...(fit.canary === undefined
        ? []
        : [
            `${fit.canary.devices} of ${history.devices.length} devices of ${target} are drawn (${fit.canary.because}); the smallest p that can be reached is ${smallestP}.`,
          ]),
      haltByComparison.possible
        ? `An unchanged release is halted in at most ${unchanged.haltMax * 100} % of rollouts.`
        : `Comparison cannot halt: ${haltByComparison.because}.`,
      unchanged.promote === null
        ? "How often an unchanged release is promoted cannot be told from this history."
        : `An unchanged release is promoted in at least ${Math.round(unchanged.promote * 1000) / 10} % of rollouts.`,
      ...metrics.map(({ metric, detectableRatio }) => {
        const found = (["1", "6", "24"] as const)
          .filter((hours) => detectableRatio[hours] !== null)
          .map((hours) => `${detectableRatio[hours]}× in ${hours} h`);
        return `${metric}: ${found.length === 0 ? "no history to tell from" : `finds ${found.join(", ")}`}.`;
      }),
      ...(typeof windows === "object"
        ? [
            isOpen(windows, nowMs)
              ? "Its maintenance window is open."
              : `Its maintenance window opens at ${new Date(opensAt(windows, nowMs)).toISOString()}.`,
          ]
        : []),
      ...refusals,
    ],
  };
}

export const HistoryInput = z.object({
  target: z.string().min(1),
  /** As much as sizing a canary needs where it is left out, and a day at least. */
  hours: z
    .number()
    .positive()
    .max(14 * 24)
    .optional(),
  bucketMinutes: z.int().min(1).max(60).default(30),
});

/** A target's fleet up to its present time, from its evidence. @throws ApiError where there are no devices. */
export async function readFleet(
  regions: readonly Region[],
  policy: Policy,
  input: z.input<typeof HistoryInput>,
  nowMs: number,
): Promise<KnownFleet> {
  const { target, hours, bucketMinutes } = parseInput(HistoryInput, input);
  const own = targetPolicy(policy, target);
  const region = regions.find((one) => one.target.name === target);
  if (region === undefined)
    throw new ApiError(
      "ERR_API_NOT_FOUND",
      `there is no target ${target}; there are ${regions.map((one) => one.target.name).join(", ")}`,
    );
  const { devices, zones } = await fleetOf(region, own);
  if (devices.length === 0)
    throw new ApiError(
      "ERR_API_NO_EVIDENCE",
      `${target} has no core devices, so there is no history; start its fleet first`,
    );
  const toMs = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
  const history = await fleetHistory(
    new EvidenceStore(region.dynamodb, target),
    devices,
    metricsOf(policy, own),
    {
      fromMs: toMs - Math.round((hours ?? Math.max(24, historyMsFor(own.soak) / HOUR_MS)) * 60) * MINUTE_MS,
      toMs,
      bucketMs: bucketMinutes * MINUTE_MS,
    },
  );
  return { history, zones, nowMs };
}

import * as z from "zod";
import { devicesOf } from "../pipeline/controller/fleet.ts";
import type { Region } from "../pipeline/controller/region.ts";
import { EvidenceStore, MINUTE_MS } from "../pipeline/evidence/evidence-store.ts";
import { fleetHistory } from "../pipeline/evidence/fleet-history.ts";
import type { FleetHistory } from "../pipeline/judge/plan.ts";
import { historyMsFor } from "../pipeline/policy-canary.ts";
import { fitPolicy, type PolicyFit } from "../pipeline/policy-fit.ts";
import { metricsOf, targetPolicy, type Policy } from "../pipeline/policy.ts";
import { ApiError } from "./api-error.ts";
import { parseInput } from "./api.ts";

const HOUR_MS = 3_600_000;

export interface TargetPlan extends PolicyFit {
  readonly target: string;
  /** The same as figures, for a person. */
  readonly sentences: readonly string[];
}

/** What a target's canary could find and promote, by what the fleet has shown. */
export async function plan(policy: Policy, target: string, history: FleetHistory): Promise<TargetPlan> {
  const fit = await fitPolicy(policy, target, history);
  const { smallestP, haltByComparison, metrics, unchanged } = fit.plan;
  return {
    ...fit,
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
      ...fit.refusals,
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

/** A target's history up to its present time, from its evidence. @throws ApiError where there are no devices. */
export async function readHistory(
  regions: readonly Region[],
  policy: Policy,
  input: z.input<typeof HistoryInput>,
  nowMs: number,
): Promise<FleetHistory> {
  const { target, hours, bucketMinutes } = parseInput(HistoryInput, input);
  const own = targetPolicy(policy, target);
  const region = regions.find((one) => one.target.name === target);
  if (region === undefined)
    throw new ApiError(
      "ERR_API_NOT_FOUND",
      `there is no target ${target}; there are ${regions.map((one) => one.target.name).join(", ")}`,
    );
  const devices = await devicesOf(region, own);
  if (devices.length === 0)
    throw new ApiError(
      "ERR_API_NO_EVIDENCE",
      `${target} has no core devices, so there is no history; start its fleet first`,
    );
  const toMs = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
  return fleetHistory(new EvidenceStore(region.dynamodb, target), devices, metricsOf(policy, own), {
    fromMs: toMs - Math.round((hours ?? Math.max(24, historyMsFor(own.soak) / HOUR_MS)) * 60) * MINUTE_MS,
    toMs,
    bucketMs: bucketMinutes * MINUTE_MS,
  });
}

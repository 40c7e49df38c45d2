import type { Instant } from "@coalmine/ports";
import * as z from "zod";

export const terminalStatuses = [
  "SUCCEEDED",
  "FAILED",
  "REJECTED",
  "TIMED_OUT",
  "CANCELED",
  "REMOVED",
] as const;
export type ExecutionStatus = "QUEUED" | "IN_PROGRESS" | (typeof terminalStatuses)[number];

export function isTerminal(status: ExecutionStatus): boolean {
  return status !== "QUEUED" && status !== "IN_PROGRESS";
}

const PerMinute = z.number().int().min(1).max(1000);
/** @see https://docs.aws.amazon.com/iot/latest/apireference/API_JobExecutionsRolloutConfig.html */
export const RolloutConfig = z.object({
  maximumPerMinute: PerMinute.nullish(),
  exponentialRate: z
    .object({
      baseRatePerMinute: PerMinute,
      // Greengrass allows 1, IoT from 1.1.
      incrementFactor: z.number().min(1).max(5),
      rateIncreaseCriteria: z
        .object({
          numberOfNotifiedThings: z.number().int().min(1).nullish(),
          numberOfSucceededThings: z.number().int().min(1).nullish(),
        })
        .refine(
          ({ numberOfNotifiedThings: notified, numberOfSucceededThings: succeeded }) =>
            typeof notified === "number" ? typeof succeeded !== "number" : typeof succeeded === "number",
          "give exactly one of numberOfNotifiedThings and numberOfSucceededThings",
        ),
    })
    .nullish(),
});
export type RolloutConfig = z.infer<typeof RolloutConfig>;

export const AbortConfig = z.object({
  criteriaList: z
    .array(
      z.object({
        failureType: z.enum(["FAILED", "REJECTED", "TIMED_OUT", "ALL"]),
        action: z.literal("CANCEL"),
        thresholdPercentage: z.number().positive().max(100),
        minNumberOfExecutedThings: z.number().int().min(1),
      }),
    )
    .min(1),
});
export type AbortConfig = z.infer<typeof AbortConfig>;

export const TimeoutConfig = z.object({
  inProgressTimeoutInMinutes: z.number().int().min(1).max(10_080).nullish(),
});
export type TimeoutConfig = z.infer<typeof TimeoutConfig>;

export const TARGETS_MAX = 100;
export const JobInput = z.object({
  jobId: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
  targets: z.array(z.string()).min(1).max(TARGETS_MAX),
  document: z
    .string()
    .refine((text) => Buffer.byteLength(text) <= 32 * 1024, "the job document is larger than 32 KiB")
    .refine(isJson, "the job document is not JSON"),
  description: z.string().max(2028).nullish(),
  targetSelection: z.enum(["CONTINUOUS", "SNAPSHOT"]).nullish(),
  namespaceId: z
    .string()
    .regex(/^[a-zA-Z0-9_-]{1,64}$/)
    .nullish(),
  jobExecutionsRolloutConfig: RolloutConfig.nullish(),
  abortConfig: AbortConfig.nullish(),
  timeoutConfig: TimeoutConfig.nullish(),
});
export type JobInput = z.infer<typeof JobInput>;
/** What may change while a job is in progress. */
export type JobUpdate = Partial<
  Pick<JobInput, "abortConfig" | "description" | "jobExecutionsRolloutConfig" | "targets" | "timeoutConfig">
>;

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

export interface Job extends JobInput {
  readonly status: "IN_PROGRESS" | "CANCELED" | "COMPLETED";
  readonly createdAt: Instant;
  readonly lastUpdatedAt: Instant;
  readonly completedAt?: Instant;
  readonly reasonCode?: string;
  readonly comment?: string;
  readonly forceCanceled: boolean;
  /** The minute of the rollout that runs, and how many executions it has created. */
  readonly minuteFrom: Instant;
  readonly createdInMinute: number;
  /** How many executions were ever created. */
  readonly notified: number;
}

export interface Execution {
  readonly jobId: string;
  readonly thingName: string;
  readonly status: ExecutionStatus;
  readonly statusDetails: Readonly<Record<string, string>>;
  readonly queuedAt: Instant;
  readonly startedAt?: Instant;
  readonly lastUpdatedAt: Instant;
  readonly versionNumber: number;
  readonly executionNumber: number;
  /** Among executions queued at one instant, the earlier one. */
  readonly order: number;
  readonly forceCanceled: boolean;
  readonly timesOutAt?: Instant;
  /** As the device last asked for, whatever the job says. */
  readonly stepTimesOutAt?: Instant;
}

export type StatusCounts = Readonly<Partial<Record<ExecutionStatus, number>>>;

const RATE_MAX = 1000;

/** How many executions the rollout may create in this minute. */
export function ratePerMinute(
  config: RolloutConfig | null | undefined,
  notified: number,
  succeeded: number,
): number {
  const most = config?.maximumPerMinute ?? RATE_MAX;
  const exponential = config?.exponentialRate;
  if (exponential === null || exponential === undefined) return most;
  const { numberOfNotifiedThings, numberOfSucceededThings } = exponential.rateIncreaseCriteria;
  const increases =
    typeof numberOfNotifiedThings === "number"
      ? Math.floor(notified / numberOfNotifiedThings)
      : Math.floor(succeeded / (numberOfSucceededThings ?? 1));
  return Math.min(most, Math.floor(exponential.baseRatePerMinute * exponential.incrementFactor ** increases));
}

/** The criterion that these results meet, in words; undefined where the job may go on. */
export function abortReason(
  config: AbortConfig | null | undefined,
  counts: StatusCounts,
): string | undefined {
  const failures = {
    FAILED: counts.FAILED ?? 0,
    REJECTED: counts.REJECTED ?? 0,
    TIMED_OUT: counts.TIMED_OUT ?? 0,
  };
  const all = failures.FAILED + failures.REJECTED + failures.TIMED_OUT;
  const executed = all + (counts.SUCCEEDED ?? 0);
  for (const criterion of config?.criteriaList ?? []) {
    const failed = criterion.failureType === "ALL" ? all : failures[criterion.failureType];
    if (
      executed >= criterion.minNumberOfExecutedThings &&
      (failed * 100) / executed >= criterion.thresholdPercentage
    )
      return `${failed} of ${executed} executions ended as ${criterion.failureType === "ALL" ? "failures" : criterion.failureType}, ${criterion.thresholdPercentage} % allowed`;
  }
  return undefined;
}

/** What a device does next: what is in progress first, then the longest queued. */
export function inOrder(one: Execution, other: Execution): number {
  const begun = Number(other.status === "IN_PROGRESS") - Number(one.status === "IN_PROGRESS");
  return begun || one.queuedAt - other.queuedAt || one.order - other.order;
}

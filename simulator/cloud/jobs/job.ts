import type { Instant } from "@coalmine/ports";
import type { AbortConfig, JobInput, RetryConfig, RolloutConfig } from "./job-input.ts";

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

export interface Job extends JobInput {
  /** SCHEDULED until its `startTime`. */
  readonly status: "SCHEDULED" | "IN_PROGRESS" | "CANCELED" | "COMPLETED";
  readonly createdAt: Instant;
  readonly lastUpdatedAt: Instant;
  readonly completedAt?: Instant;
  readonly reasonCode?: string;
  readonly comment?: string;
  readonly forceCanceled: boolean;
  /** The minute of the rollout that runs, and how many executions it has created. */
  readonly minuteFrom: Instant;
  readonly createdInMinute: number;
  /** How many things were ever given it. */
  readonly notified: number;
  /** Its `endTime` has passed: no more executions, those that are there go on. */
  readonly rolloutStopped?: boolean;
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
  /** How often it was tried again on this thing, by what it had ended as. */
  readonly retries?: Readonly<Partial<Record<RetryableStatus, number>>>;
}
export type RetryableStatus = "FAILED" | "TIMED_OUT";

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

export function retryAttempt({ retries = {} }: Execution): number {
  return (retries.FAILED ?? 0) + (retries.TIMED_OUT ?? 0);
}

/** The attempts with one more, where what has ended so may be tried again; undefined where it may not. */
export function nextRetries(
  config: RetryConfig | null | undefined,
  execution: Execution,
): Execution["retries"] | undefined {
  const { status, retries = {} } = execution;
  if (status !== "FAILED" && status !== "TIMED_OUT") return undefined;
  const former = retries[status] ?? 0;
  const mayAgain = (config?.criteriaList ?? []).some(
    ({ failureType, numberOfRetries }) =>
      (failureType === status && former < numberOfRetries) ||
      (failureType === "ALL" && retryAttempt(execution) < numberOfRetries),
  );
  return mayAgain ? { ...retries, [status]: former + 1 } : undefined;
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

import type { Clock } from "@coalmine/ports";
import * as z from "zod";
import { type Execution, isTerminal } from "./job.ts";
import type { Jobs } from "./jobs.ts";

/**
 * What a device may ask of its jobs, however it asks: by MQTT topics or over HTTP.
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/jobs-mqtt-api.html
 */

const Details = z
  .record(z.string().regex(/^[a-zA-Z0-9:_-]{1,128}$/), z.string().max(1024))
  .refine((details) => Object.keys(details).length <= 10, "at most 10 status details");
/** From the moment of the call; -1 takes a former one back. */
const StepTimeout = z.number().int().min(-1).max(10_080);
export const DescribeInput = z.object({
  executionNumber: z.number().int().nullish(),
  includeJobDocument: z.boolean().nullish(),
});
export const StartNextInput = z.object({
  statusDetails: Details.nullish(),
  stepTimeoutInMinutes: StepTimeout.nullish(),
});
export const UpdateInput = z.object({
  status: z.enum(["IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED", "QUEUED"]),
  statusDetails: Details.nullish(),
  stepTimeoutInMinutes: StepTimeout.nullish(),
  expectedVersion: z.number().int().nullish(),
  executionNumber: z.number().int().nullish(),
  includeJobExecutionState: z.boolean().nullish(),
  includeJobDocument: z.boolean().nullish(),
});

export type RejectionCode =
  | "InvalidTopic"
  | "InvalidJson"
  | "InvalidRequest"
  | "InvalidStateTransition"
  | "ResourceNotFound"
  | "VersionMismatch"
  | "TerminalStateReached";

/** Why a device does not get what it asks, in the words of the MQTT API. */
export class Rejection extends Error {
  readonly code: RejectionCode;
  readonly execution: Execution | undefined;
  constructor(code: RejectionCode, message: string, execution?: Execution) {
    super(message);
    this.code = code;
    this.execution = execution;
  }
}

/** A thing's jobs, as the thing itself sees and changes them. */
export class DeviceJobs {
  readonly #jobs: Jobs;
  readonly #clock: Clock;

  constructor(options: { readonly jobs: Jobs; readonly clock: Clock }) {
    this.#jobs = options.jobs;
    this.#clock = options.clock;
  }

  pending(
    thingName: string,
    namespaceId: string | undefined,
  ): { inProgressJobs: object[]; queuedJobs: object[] } {
    const pending = this.#jobs.executions.pending(thingName, namespaceId);
    const listed = (status: string) => pending.filter((one) => one.status === status).map(summary);
    return { inProgressJobs: listed("IN_PROGRESS"), queuedJobs: listed("QUEUED") };
  }

  /** What is in progress, or the next that is queued and now begins. */
  startNext(
    thingName: string,
    namespaceId: string | undefined,
    input: z.infer<typeof StartNextInput>,
  ): Execution | undefined {
    const [next] = this.#jobs.executions.pending(thingName, namespaceId);
    return next?.status === "QUEUED" ? this.#jobs.executions.report(next, "IN_PROGRESS", input) : next;
  }

  /** `$next` stands for what would be next. */
  describe(
    thingName: string,
    namespaceId: string | undefined,
    jobId: string,
    { executionNumber }: z.infer<typeof DescribeInput>,
  ): Execution | undefined {
    const found =
      jobId === "$next"
        ? this.#jobs.executions.pending(thingName, namespaceId)[0]
        : this.#one(jobId, thingName, namespaceId);
    if (found === undefined) return undefined;
    checkNumber(found, executionNumber);
    if (isTerminal(found.status))
      throw new Rejection("TerminalStateReached", `The job execution is ${found.status}: it is over.`);
    return found;
  }

  update(
    thingName: string,
    namespaceId: string | undefined,
    jobId: string,
    input: z.infer<typeof UpdateInput>,
  ): Execution {
    const execution = this.#one(jobId, thingName, namespaceId);
    const { status, expectedVersion, executionNumber } = input;
    checkNumber(execution, executionNumber);
    if (typeof expectedVersion === "number" && expectedVersion !== execution.versionNumber)
      throw new Rejection(
        "VersionMismatch",
        `The version is ${execution.versionNumber}, not ${expectedVersion}.`,
        execution,
      );
    const allowed = !isTerminal(execution.status) && (status !== "QUEUED" || execution.status === "QUEUED");
    if (!allowed)
      throw new Rejection(
        "InvalidStateTransition",
        `A job execution that is ${execution.status} cannot become ${status}.`,
        execution,
      );
    return this.#jobs.executions.report(execution, status, input);
  }

  described(execution: Execution) {
    const { thingName, status, statusDetails, timesOutAt, stepTimesOutAt } = execution;
    const deadline = Math.min(timesOutAt ?? Infinity, stepTimesOutAt ?? Infinity);
    return {
      ...summary(execution),
      thingName,
      status,
      statusDetails,
      ...(status === "IN_PROGRESS" && deadline < Infinity
        ? { approximateSecondsBeforeTimedOut: Math.max(0, seconds(deadline - this.#clock.now())) }
        : {}),
    };
  }

  #one(jobId: string, thingName: string, namespaceId: string | undefined): Execution {
    const execution = this.#jobs.executions.get(jobId, thingName);
    if ((this.#jobs.job(jobId).namespaceId ?? undefined) !== namespaceId)
      throw new Rejection("ResourceNotFound", `Job ${jobId} is not in this namespace.`);
    return execution;
  }
}

function checkNumber(execution: Execution, asked: number | null | undefined): void {
  if (typeof asked === "number" && asked !== execution.executionNumber)
    throw new Rejection("ResourceNotFound", `Execution number ${asked} does not exist.`);
}

export function summary(execution: Execution) {
  const { jobId, queuedAt, startedAt, lastUpdatedAt, versionNumber, executionNumber } = execution;
  return {
    jobId,
    queuedAt: seconds(queuedAt),
    ...(startedAt === undefined ? {} : { startedAt: seconds(startedAt) }),
    lastUpdatedAt: seconds(lastUpdatedAt),
    versionNumber,
    executionNumber,
  };
}

export function stateOf({ status, statusDetails, versionNumber }: Execution) {
  return { status, statusDetails, versionNumber };
}

export function seconds(instant: number): number {
  return Math.floor(instant / 1000);
}

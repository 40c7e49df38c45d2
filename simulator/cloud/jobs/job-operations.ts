import type { Clock } from "@coalmine/ports";
import * as z from "zod";
import { iotArn, nameInArn } from "../iot/arn.ts";
import { invalid, onlyGiven, operation, page, PageInput } from "../iot/operation.ts";
import type { Operation } from "../service.ts";
import { documentOf, type ReadObject } from "./document-source.ts";
import { type Execution, type Job, retryAttempt } from "./job.ts";
import { JobConfigs, JobInput, TARGETS_MAX } from "./job-input.ts";
import type { JobTemplates } from "./job-templates.ts";
import type { Jobs } from "./jobs.ts";
import { JobSchedule } from "./schedule.ts";

const JobOnly = z.object({ jobId: z.string() });
const OnThing = z.object({ jobId: z.string(), thingName: z.string(), executionNumber: z.number().nullish() });

/** How many of the windows to come are told. */
const WINDOWS_TOLD = 7;

/** The operations of IoT Jobs, which belong to the service `iot`. */
export function jobOperations(options: {
  readonly jobs: Jobs;
  readonly templates: JobTemplates;
  readonly clock: Clock;
  readonly readObject: ReadObject;
}): Record<string, Operation> {
  const { jobs, templates, clock, readObject } = options;
  const { place } = jobs.things;
  const named = (jobId: string) => ({ jobId, jobArn: iotArn(place, "job", jobId) });
  return {
    CreateJob: operation(
      JobInput.extend({ document: z.string().nullish(), documentSource: z.string().max(1350).nullish() }),
      async ({ documentSource, document, ...input }) => {
        const { jobTemplateArn } = input;
        const isFromTemplate = typeof jobTemplateArn === "string";
        if (isFromTemplate && (typeof document === "string" || typeof documentSource === "string"))
          throw invalid("The document is the job template's: give none.");
        const begun = isFromTemplate
          ? templates.jobFrom(jobTemplateArn)
          : { document: await documentOf({ document, documentSource }, readObject) };
        const { jobId, targets } = input;
        const { description } = jobs.create({ ...begun, ...onlyGiven(input), jobId, targets });
        return { ...named(jobId), description: description ?? undefined };
      },
    ),
    DescribeJob: operation(JobOnly, ({ jobId }) => {
      const job = jobs.job(jobId);
      const counts = jobs.executions.counts(jobId);
      return {
        job: {
          ...named(jobId),
          ...listed(job),
          description: job.description,
          targets: job.targets,
          forceCanceled: job.forceCanceled,
          reasonCode: job.reasonCode,
          comment: job.comment,
          jobExecutionsRolloutConfig: job.jobExecutionsRolloutConfig,
          abortConfig: job.abortConfig,
          timeoutConfig: job.timeoutConfig,
          jobExecutionsRetryConfig: job.jobExecutionsRetryConfig,
          jobTemplateArn: job.jobTemplateArn,
          schedulingConfig: job.schedulingConfig,
          scheduledJobRollouts: new JobSchedule(job.schedulingConfig)
            .nextWindows(clock.now(), WINDOWS_TOLD)
            .map((opensAt) => ({ startTime: new Date(opensAt).toISOString() })),
          namespaceId: job.namespaceId,
          jobProcessDetails: {
            numberOfQueuedThings: counts.QUEUED ?? 0,
            numberOfInProgressThings: counts.IN_PROGRESS ?? 0,
            numberOfSucceededThings: counts.SUCCEEDED ?? 0,
            numberOfFailedThings: counts.FAILED ?? 0,
            numberOfRejectedThings: counts.REJECTED ?? 0,
            numberOfTimedOutThings: counts.TIMED_OUT ?? 0,
            numberOfCanceledThings: counts.CANCELED ?? 0,
            numberOfRemovedThings: counts.REMOVED ?? 0,
          },
        },
      };
    }),
    GetJobDocument: operation(JobOnly, ({ jobId }) => ({ document: jobs.job(jobId).document })),
    ListJobs: operation(
      z.object({
        ...PageInput,
        status: z.string().nullish(),
        targetSelection: z.string().nullish(),
        thingGroupName: z.string().nullish(),
        namespaceId: z.string().nullish(),
      }),
      (input) => {
        const fits = (job: Job): boolean =>
          (typeof input.status !== "string" || job.status === input.status) &&
          (typeof input.targetSelection !== "string" || selection(job) === input.targetSelection) &&
          (typeof input.namespaceId !== "string" || job.namespaceId === input.namespaceId) &&
          (typeof input.thingGroupName !== "string" ||
            job.targets.some((target) => nameInArn(target, "thinggroup") === input.thingGroupName));
        const { items, nextToken } = page(jobs.all.filter(fits), ({ jobId }) => jobId, input);
        return { jobs: items.map((job) => ({ ...named(job.jobId), ...listed(job) })), nextToken };
      },
    ),
    CancelJob: operation(
      JobOnly.extend({
        reasonCode: z.string().max(128).nullish(),
        comment: z.string().max(2028).nullish(),
        force: z.boolean().nullish(),
      }),
      ({ jobId, reasonCode, comment, force }) => {
        const { description } = jobs.cancel(jobId, {
          ...(typeof reasonCode === "string" ? { reasonCode } : {}),
          ...(typeof comment === "string" ? { comment } : {}),
          force: force === true,
        });
        return { ...named(jobId), description: description ?? undefined };
      },
    ),
    UpdateJob: operation(
      JobInput.pick({ jobId: true, description: true }).extend(JobConfigs),
      ({ jobId, ...asked }) => {
        // What is not given stays.
        jobs.update(jobId, onlyGiven(asked));
        return {};
      },
    ),
    AssociateTargetsWithJob: operation(
      JobInput.pick({ jobId: true, targets: true }).extend({ comment: z.string().max(2028).nullish() }),
      ({ jobId, targets: more }) => {
        const job = jobs.job(jobId);
        if (selection(job) !== "CONTINUOUS") throw invalid(`Job ${jobId} is not continuous.`);
        const targets = [...new Set([...job.targets, ...more])];
        if (targets.length > TARGETS_MAX) throw invalid(`A job has at most ${TARGETS_MAX} targets.`);
        const { description } = jobs.update(jobId, { targets });
        return { ...named(jobId), description: description ?? undefined };
      },
    ),
    DeleteJob: operation(JobOnly.extend({ force: z.boolean().nullish() }), ({ jobId, force }) => {
      jobs.delete(jobId, force === true);
      return {};
    }),
    CancelJobExecution: operation(
      OnThing.extend({ force: z.boolean().nullish() }),
      ({ jobId, thingName, force }) => {
        jobs.cancelExecution(jobId, thingName, force === true);
        return {};
      },
    ),
    DeleteJobExecution: operation(
      OnThing.extend({ force: z.boolean().nullish() }),
      ({ jobId, thingName, executionNumber, force }) => {
        checkLatest(jobs.executions.get(jobId, thingName), executionNumber);
        jobs.deleteExecution(jobId, thingName, force === true);
        return {};
      },
    ),
    DescribeJobExecution: operation(OnThing, ({ jobId, thingName, executionNumber }) => {
      const execution = jobs.executions.get(jobId, thingName);
      checkLatest(execution, executionNumber);
      return {
        execution: {
          jobId,
          thingArn: jobs.things.arn("thing", thingName),
          ...summary(execution),
          statusDetails: { detailsMap: execution.statusDetails },
          forceCanceled: execution.forceCanceled,
          versionNumber: execution.versionNumber,
        },
      };
    }),
    ListJobExecutionsForJob: operation(
      JobOnly.extend({ ...PageInput, status: z.string().nullish() }),
      (input) => {
        jobs.job(input.jobId);
        const wanted = jobs.executions
          .of(input.jobId)
          .filter(({ status }) => hasStatus(status, input.status));
        const { items, nextToken } = page(wanted, ({ thingName }) => thingName, input);
        const executionSummaries = items.map((execution) => ({
          thingArn: jobs.things.arn("thing", execution.thingName),
          jobExecutionSummary: summary(execution),
        }));
        return { executionSummaries, nextToken };
      },
    ),
    ListJobExecutionsForThing: operation(
      z.object({
        ...PageInput,
        thingName: z.string(),
        status: z.string().nullish(),
        namespaceId: z.string().nullish(),
        jobId: z.string().nullish(),
      }),
      (input) => {
        jobs.things.thing(input.thingName);
        const wanted = jobs.executions
          .on(input.thingName)
          .filter(
            ({ status, jobId }) =>
              hasStatus(status, input.status) &&
              (typeof input.jobId !== "string" || jobId === input.jobId) &&
              (typeof input.namespaceId !== "string" || jobs.job(jobId).namespaceId === input.namespaceId),
          )
          .sort((one, other) => (one.jobId < other.jobId ? -1 : 1));
        const { items, nextToken } = page(wanted, ({ jobId }) => jobId, input);
        const executionSummaries = items.map((execution) => ({
          jobId: execution.jobId,
          jobExecutionSummary: summary(execution),
        }));
        return { executionSummaries, nextToken };
      },
    ),
  };
}

function checkLatest(execution: Execution, asked: number | null | undefined): void {
  if (typeof asked === "number" && asked !== execution.executionNumber)
    throw invalid(`Only execution ${execution.executionNumber}, the latest, is kept.`);
}

function hasStatus(status: string, asked: string | null | undefined): boolean {
  return typeof asked !== "string" || status === asked;
}

function selection(job: Job): "CONTINUOUS" | "SNAPSHOT" {
  return job.targetSelection ?? "SNAPSHOT";
}

function listed(job: Job) {
  return {
    targetSelection: selection(job),
    status: job.status,
    createdAt: new Date(job.createdAt),
    lastUpdatedAt: new Date(job.lastUpdatedAt),
    completedAt: job.completedAt === undefined ? undefined : new Date(job.completedAt),
  };
}

function summary(execution: Execution) {
  const { status, queuedAt, startedAt, lastUpdatedAt, executionNumber } = execution;
  return {
    status,
    queuedAt: new Date(queuedAt),
    startedAt: startedAt === undefined ? undefined : new Date(startedAt),
    lastUpdatedAt: new Date(lastUpdatedAt),
    executionNumber,
    retryAttempt: retryAttempt(execution),
  };
}

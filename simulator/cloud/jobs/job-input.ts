import * as z from "zod";
import { isJson } from "../is-json.ts";
import { SchedulingConfig } from "./schedule.ts";

const PerMinute = z.number().int().min(1).max(1000);
/** @see https://docs.aws.amazon.com/iot/latest/apireference/API_JobExecutionsRolloutConfig.html */
const RolloutConfig = z.object({
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

const AbortConfig = z.object({
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

const TimeoutConfig = z.object({
  inProgressTimeoutInMinutes: z.number().int().min(1).max(10_080).nullish(),
});

/** @see https://docs.aws.amazon.com/iot/latest/apireference/API_RetryCriteria.html */
const RetryConfig = z.object({
  criteriaList: z
    .array(
      z.object({
        failureType: z.enum(["FAILED", "TIMED_OUT", "ALL"]),
        numberOfRetries: z.number().int().min(0).max(10),
      }),
    )
    .min(1)
    .max(2),
});
export type RetryConfig = z.infer<typeof RetryConfig>;

/** How a job is carried out. A template holds these too. */
export const JobConfigs = {
  jobExecutionsRolloutConfig: RolloutConfig.nullish(),
  abortConfig: AbortConfig.nullish(),
  timeoutConfig: TimeoutConfig.nullish(),
  jobExecutionsRetryConfig: RetryConfig.nullish(),
};

export const JobDocument = z
  .string()
  .refine((text) => Buffer.byteLength(text) <= 32 * 1024, "the job document is larger than 32 KiB")
  .refine(isJson, "the job document is not JSON");

export const TARGETS_MAX = 100;
export const JobInput = z.object({
  jobId: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
  targets: z.array(z.string()).min(1).max(TARGETS_MAX),
  document: JobDocument,
  description: z.string().max(2028).nullish(),
  targetSelection: z.enum(["CONTINUOUS", "SNAPSHOT"]).nullish(),
  namespaceId: z
    .string()
    .regex(/^[a-zA-Z0-9_-]{1,64}$/)
    .nullish(),
  jobTemplateArn: z.string().nullish(),
  schedulingConfig: SchedulingConfig.nullish(),
  ...JobConfigs,
});
export type JobInput = z.infer<typeof JobInput>;
/** What may change while a job is scheduled or in progress. */
export type JobUpdate = Partial<Pick<JobInput, "description" | "targets" | keyof typeof JobConfigs>>;

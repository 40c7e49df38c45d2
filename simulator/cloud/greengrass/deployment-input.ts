import { isJsonObject, type JsonObject } from "@coalmine/recipe";
import * as z from "zod";
import type { Input } from "../service.ts";
import { greengrassError } from "./errors.ts";

/** CreateDeployment's input with the limits that the SDK's schemas do not carry. */
const merge = z
  .string()
  .max(10_485_760)
  .transform((text, context) => {
    const value = parsed(text);
    if (value !== undefined) return { text, value };
    context.addIssue({ code: "custom", message: "must be the JSON text of an object" });
    return z.NEVER;
  });

const component = z.object({
  componentVersion: z.string().min(1).max(64),
  configurationUpdate: z
    .object({ merge: merge.optional(), reset: z.array(z.string().max(256)).optional() })
    .optional(),
  runWith: z
    .object({
      posixUser: z.string().min(1).optional(),
      windowsUser: z.string().min(1).optional(),
      systemResourceLimits: z
        .object({ memory: z.number().optional(), cpus: z.number().optional() })
        .optional(),
    })
    .transform((runWith): JsonObject => JSON.parse(JSON.stringify(runWith)))
    .optional(),
});

const perMinute = z.number().int().min(1).max(1000);
const seconds = z.number().int().min(1);
const atLeastOne = z.number().int().min(1);

const jobConfiguration = z.object({
  jobExecutionsRolloutConfig: z
    .object({
      maximumPerMinute: perMinute.optional(),
      exponentialRate: z
        .object({
          baseRatePerMinute: perMinute,
          incrementFactor: z.number().min(1).max(5),
          rateIncreaseCriteria: z.union([
            z.strictObject({ numberOfNotifiedThings: atLeastOne }),
            z.strictObject({ numberOfSucceededThings: atLeastOne }),
          ]),
        })
        .optional(),
    })
    .optional(),
  abortConfig: z
    .object({
      criteriaList: z
        .array(
          z.object({
            failureType: z.enum(["FAILED", "REJECTED", "TIMED_OUT", "ALL"]),
            action: z.literal("CANCEL"),
            thresholdPercentage: z.number().min(0).max(100),
            minNumberOfExecutedThings: atLeastOne,
          }),
        )
        .min(1),
    })
    .optional(),
  timeoutConfig: z
    .object({ inProgressTimeoutInMinutes: z.number().int().min(1).max(10_080).optional() })
    .optional(),
});

const CreateDeployment = z.object({
  targetArn: z.string(),
  deploymentName: z.string().min(1).max(256).optional(),
  components: z.record(z.string().regex(/^[a-zA-Z0-9\-_.]{1,128}$/), component).optional(),
  iotJobConfiguration: jobConfiguration.optional(),
  deploymentPolicies: z
    .object({
      failureHandlingPolicy: z.enum(["ROLLBACK", "DO_NOTHING"]).optional(),
      componentUpdatePolicy: z
        .object({
          timeoutInSeconds: seconds.optional(),
          action: z.enum(["NOTIFY_COMPONENTS", "SKIP_NOTIFY_COMPONENTS"]).optional(),
        })
        .optional(),
      configurationValidationPolicy: z.object({ timeoutInSeconds: seconds.optional() }).optional(),
    })
    .optional(),
  parentTargetArn: z.string().optional(),
  tags: z.record(z.string().min(1).max(128), z.string().max(256)).optional(),
  clientToken: z.string().min(1).max(64).optional(),
});
export type CreateDeploymentInput = z.output<typeof CreateDeployment>;

export function readCreateDeployment(input: Input): CreateDeploymentInput {
  const read = CreateDeployment.safeParse(input);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const field = issue?.path.join(".") ?? "";
  throw greengrassError.validation(`${field}: ${issue?.message ?? "is not valid"}`, field);
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

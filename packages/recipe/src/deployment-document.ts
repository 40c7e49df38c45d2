import { CoalmineError } from "@coalmine/runtime";
import * as z from "zod";
import { anyCase } from "./case-insensitive.ts";
import { isJsonObject, type JsonObject, member } from "./json.ts";

/** What a deployment does where it does not say. */
const UPDATE_TIMEOUT_SECONDS = 60;
const VALIDATION_TIMEOUT_SECONDS = 60;

const text = z.string();
const seconds = z.number().nonnegative();
const mapping = z.custom<JsonObject>(isJsonObject, { error: "must be a map" });

/**
 * A user that is there with `null` or `""` is taken away, one that is not there is left as it was; so these are read
 * before `null` counts as absent.
 */
const runWith = z.custom<JsonObject>(isJsonObject, { error: "must be a map" }).transform((found) => {
  const posixUser = member(found, "posixUser");
  const windowsUser = member(found, "windowsUser");
  const limits = member(found, "systemResourceLimits");
  return {
    ...(posixUser === undefined ? {} : { posixUser: textOrNone(posixUser) }),
    ...(windowsUser === undefined ? {} : { windowsUser: textOrNone(windowsUser) }),
    ...(limits === undefined ? {} : { systemResourceLimits: isJsonObject(limits) ? limits : null }),
  };
});

const component = anyCase({
  version: text,
  configurationUpdate: anyCase({ merge: mapping.optional(), reset: z.array(text).optional() }).optional(),
  runWith: runWith.optional(),
}).transform((found) => ({
  version: found.version,
  ...(found.configurationUpdate === undefined
    ? {}
    : {
        configurationUpdate: {
          ...(found.configurationUpdate.merge === undefined
            ? {}
            : { merge: found.configurationUpdate.merge }),
          reset: found.configurationUpdate.reset ?? [],
        },
      }),
  ...(found.runWith === undefined ? {} : { runWith: found.runWith }),
}));

const DocumentSchema = anyCase({
  deploymentId: text.optional(),
  schemaDate: text.optional(),
  deploymentName: text.optional(),
  configurationArn: text,
  onBehalfOf: text.optional(),
  parentTargetArn: text.optional(),
  creationTimestamp: z.number(),
  components: z.record(z.string(), component).optional(),
  failureHandlingPolicy: z.enum(["ROLLBACK", "DO_NOTHING"]).optional(),
  componentUpdatePolicy: anyCase({
    timeout: seconds.optional(),
    action: z.enum(["NOTIFY_COMPONENTS", "SKIP_NOTIFY_COMPONENTS"]).optional(),
  }).optional(),
  configurationValidationPolicy: anyCase({ timeout: seconds.optional() }).optional(),
  requiredCapabilities: z.array(text).optional(),
}).transform((found) => ({
  /** Greengrass's own id; where the document has none, the ARN of the configuration stands for it. */
  deploymentId: found.deploymentId ?? found.configurationArn,
  schemaDate: found.schemaDate ?? SCHEMA_DATE,
  ...(found.deploymentName === undefined ? {} : { deploymentName: found.deploymentName }),
  configurationArn: found.configurationArn,
  ...(found.onBehalfOf === undefined ? {} : { onBehalfOf: found.onBehalfOf }),
  ...(found.parentTargetArn === undefined ? {} : { parentTargetArn: found.parentTargetArn }),
  creationTimestampMs: found.creationTimestamp,
  components: found.components ?? {},
  failureHandlingPolicy: found.failureHandlingPolicy ?? ("ROLLBACK" as const),
  componentUpdatePolicy: {
    timeoutSeconds: found.componentUpdatePolicy?.timeout ?? UPDATE_TIMEOUT_SECONDS,
    action: found.componentUpdatePolicy?.action ?? ("NOTIFY_COMPONENTS" as const),
  },
  configurationValidationPolicy: {
    timeoutSeconds: found.configurationValidationPolicy?.timeout ?? VALIDATION_TIMEOUT_SECONDS,
  },
  requiredCapabilities: found.requiredCapabilities ?? [],
}));

export const SCHEMA_DATE = "2021-05-17";

/** What a device is told to run: the job document, the shadow's `fleetConfig`, or a downloaded large document. */
export type DeploymentDocument = z.output<typeof DocumentSchema>;
export type DeployedComponent = DeploymentDocument["components"][string];

/** A deployment document that cannot be read. */
export class DeploymentDocumentError extends CoalmineError {
  readonly code = "DEPLOYMENT_DOCUMENT_PARSE_ERROR";
}

/** Reads a document already parsed from JSON. Keys in any case, unknown ones ignored. */
export function parseDeploymentDocument(json: unknown): DeploymentDocument {
  const parsed = DocumentSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new DeploymentDocumentError(
    `DEPLOYMENT_DOCUMENT_PARSE_ERROR: ${issue?.path.join(".") || "the document"}: ${issue?.message ?? "not readable"}; create the deployment again.`,
    { cause: parsed.error },
  );
}

/** The document as it travels; `parseDeploymentDocument` reads it back the same. */
export function deploymentDocument(document: DeploymentDocument): JsonObject {
  const { creationTimestampMs, components, componentUpdatePolicy, configurationValidationPolicy, ...same } =
    document;
  return {
    ...same,
    creationTimestamp: creationTimestampMs,
    components: Object.fromEntries(
      Object.entries(components).map(([name, { version, configurationUpdate, runWith }]) => [
        name,
        {
          version,
          ...(configurationUpdate === undefined ? {} : { configurationUpdate }),
          ...(runWith === undefined ? {} : { runWith }),
        },
      ]),
    ),
    componentUpdatePolicy: {
      timeout: componentUpdatePolicy.timeoutSeconds,
      action: componentUpdatePolicy.action,
    },
    configurationValidationPolicy: { timeout: configurationValidationPolicy.timeoutSeconds },
  };
}

function textOrNone(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

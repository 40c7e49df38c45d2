import type { JsonObject } from "@coalmine/ports";
import * as z from "zod";
import { IpcServiceError } from "./service.ts";

/** Requests as they stand in the JSON of the wire. Blobs are base64 texts, timestamps seconds since the Unix epoch. */

const ObjectDocument = z.custom<JsonObject>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "expected a JSON object",
);
const Blob = z.base64();
const KeyPath = z.array(z.string());
/** "0" or "1"; the nucleus looks at it itself, and refuses another with `InvalidArgumentsError`. */
const Qos = z.string();

/** Exactly one member is used; a server looks at `jsonMessage` first. */
const PublishMessage = z.object({
  jsonMessage: z.object({ message: ObjectDocument.optional() }).optional(),
  binaryMessage: z.object({ message: Blob.optional() }).optional(),
});

const ComponentName = z.object({ componentName: z.string() });
const Shadow = z.object({ thingName: z.string(), shadowName: z.string().optional() });

export const requests = {
  CancelLocalDeployment: z.object({ deploymentId: z.string() }),
  CreateDebugPassword: z.object({}),
  CreateLocalDeployment: z.object({
    groupName: z.string().optional(),
    rootComponentVersionsToAdd: z.record(z.string(), z.string()).optional(),
    rootComponentsToRemove: z.array(z.string()).optional(),
    componentToConfiguration: z.record(z.string(), ObjectDocument).optional(),
    componentToRunWithInfo: z.record(z.string(), ObjectDocument).optional(),
    recipeDirectoryPath: z.string().optional(),
    artifactsDirectoryPath: z.string().optional(),
    failureHandlingPolicy: z.enum(["ROLLBACK", "DO_NOTHING"]).optional(),
  }),
  DeferComponentUpdate: z.object({
    deploymentId: z.string(),
    message: z.string().optional(),
    recheckAfterMs: z.number().optional(),
  }),
  DeleteThingShadow: Shadow,
  GetComponentDetails: ComponentName,
  GetConfiguration: z.object({ componentName: z.string().optional(), keyPath: KeyPath }),
  GetLocalDeploymentStatus: z.object({ deploymentId: z.string() }),
  GetSecretValue: z.object({
    secretId: z.string(),
    versionId: z.string().optional(),
    versionStage: z.string().optional(),
    refresh: z.boolean().optional(),
  }),
  GetThingShadow: Shadow,
  ListComponents: z.object({}),
  ListLocalDeployments: z.object({}),
  ListNamedShadowsForThing: z.object({
    thingName: z.string(),
    nextToken: z.string().optional(),
    pageSize: z.int().optional(),
  }),
  PauseComponent: ComponentName,
  PublishToIoTCore: z.object({
    topicName: z.string(),
    qos: Qos,
    payload: Blob.optional(),
    retain: z.boolean().optional(),
    userProperties: z
      .array(z.object({ key: z.string().optional(), value: z.string().optional() }))
      .optional(),
    messageExpiryIntervalSeconds: z.number().optional(),
    correlationData: Blob.optional(),
    responseTopic: z.string().optional(),
    payloadFormat: z.enum(["0", "1"]).optional(),
    contentType: z.string().optional(),
  }),
  PublishToTopic: z.object({ topic: z.string(), publishMessage: PublishMessage }),
  PutComponentMetric: z.object({
    metrics: z.array(
      z.object({
        name: z.string(),
        unit: z.enum(["BYTES", "BYTES_PER_SECOND", "COUNT", "COUNT_PER_SECOND", "MEGABYTES", "SECONDS"]),
        value: z.number(),
      }),
    ),
  }),
  RestartComponent: ComponentName,
  ResumeComponent: ComponentName,
  SendConfigurationValidityReport: z.object({
    configurationValidityReport: z.object({
      status: z.enum(["ACCEPTED", "REJECTED"]),
      deploymentId: z.string(),
      message: z.string().optional(),
    }),
  }),
  StopComponent: ComponentName,
  SubscribeToComponentUpdates: z.object({}),
  SubscribeToConfigurationUpdate: z.object({ componentName: z.string().optional(), keyPath: KeyPath }),
  SubscribeToIoTCore: z.object({ topicName: z.string(), qos: Qos }),
  SubscribeToTopic: z.object({
    topic: z.string(),
    receiveMode: z.enum(["RECEIVE_ALL_MESSAGES", "RECEIVE_MESSAGES_FROM_OTHERS"]).optional(),
  }),
  SubscribeToValidateConfigurationUpdates: z.object({}),
  UpdateConfiguration: z.object({
    keyPath: KeyPath.optional(),
    timestamp: z.number(),
    valueToMerge: ObjectDocument,
  }),
  UpdateState: z.object({ state: z.enum(["RUNNING", "ERRORED"]) }),
  UpdateThingShadow: Shadow.extend({ payload: Blob }),
  ValidateAuthorizationToken: z.object({ token: z.string() }),
} as const;

export type RequestOf<Name extends keyof typeof requests> = z.infer<(typeof requests)[Name]>;

/**
 * Reads a request at the service's door. What is missing is an `InvalidArgumentsError`, as the nucleus' handlers have
 * it; what has another type than the model's is a `ServiceError`, as its JSON reader has it.
 */
export function parseRequest<Name extends keyof typeof requests>(
  operation: Name,
  request: JsonObject,
): RequestOf<Name>;
export function parseRequest(operation: keyof typeof requests, request: JsonObject): unknown {
  const read = compiled(operation).safeParse(request);
  if (read.success) return read.data;
  const issue = read.error.issues[0];
  const path = issue?.path ?? [];
  const member = path.map(String).join(".");
  if (isMissing(request, path))
    throw new IpcServiceError("InvalidArgumentsError", `${operation}: ${member} is required`);
  throw new IpcServiceError("ServiceError", `${operation}: ${member}: ${issue?.message ?? "unreadable"}`);
}

const schemas = new Map<keyof typeof requests, z.ZodType>();

/** A service reads some of them many times a second: compiled, a schema takes a third of the time. */
function compiled(operation: keyof typeof requests): z.ZodType {
  const known = schemas.get(operation);
  if (known !== undefined) return known;
  const made = z.compile(requests[operation]);
  schemas.set(operation, made);
  return made;
}

function isMissing(request: JsonObject, path: readonly PropertyKey[]): boolean {
  let value: unknown = request;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return false;
    const found: unknown = Reflect.get(value, key);
    value = found;
  }
  return value === undefined || value === null;
}

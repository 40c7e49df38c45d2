import type { JsonObject } from "@coalmine/ports";
import * as z from "zod";

/** Events and responses as a client reads them from the JSON of the wire. */

const ObjectDocument = z.custom<JsonObject>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "expected a JSON object",
);
const Context = z.object({ topic: z.string() });

export const events = {
  SubscriptionResponseMessage: z.compile(
    z.union([
      z.object({ jsonMessage: z.object({ message: ObjectDocument, context: Context }) }),
      z.object({ binaryMessage: z.object({ message: z.base64(), context: Context }) }),
    ]),
  ),
  IoTCoreMessage: z.object({
    message: z.object({ topicName: z.string(), payload: z.base64().default("") }),
  }),
  ConfigurationUpdateEvents: z.object({
    configurationUpdateEvent: z.object({ componentName: z.string(), keyPath: z.array(z.string()) }),
  }),
  ValidateConfigurationUpdateEvents: z.object({
    validateConfigurationUpdateEvent: z.object({
      configuration: ObjectDocument.default({}),
      deploymentId: z.string(),
    }),
  }),
  ComponentUpdatePolicyEvents: z.union([
    z.object({
      preUpdateEvent: z.object({ deploymentId: z.string(), isGgcRestarting: z.boolean() }),
    }),
    z.object({ postUpdateEvent: z.object({ deploymentId: z.string() }) }),
  ]),
} as const;

export const responses = {
  GetConfiguration: z.object({ value: z.json() }),
  GetSecretValue: z.object({
    secretValue: z.object({ secretString: z.string().optional(), secretBinary: z.base64().optional() }),
  }),
  Shadow: z.object({ payload: z.base64() }),
} as const;

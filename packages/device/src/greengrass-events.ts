import type { model } from "aws-iot-device-sdk-v2/dist/greengrasscoreipc.js";
import type { IotCoreMessage, JsonObject, JsonValue, LocalMessage } from "@coalmine/ports";
import * as z from "zod";

/** The door for what the official client hands out, which it does not check itself. Each throws where it does not fit. */

const Bytes = z.instanceof(Uint8Array).transform((bytes) => new Uint8Array(bytes));
const ObjectDocument = z.custom<JsonObject>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "expected a JSON object",
);
const Context = z.object({ topic: z.string() });

const Local = z.union([
  z.object({ jsonMessage: z.object({ message: ObjectDocument, context: Context }) }),
  z.object({ binaryMessage: z.object({ message: Bytes, context: Context }) }),
]);
export function localMessage(event: model.SubscriptionResponseMessage): [string, LocalMessage] {
  const found = Local.parse(event);
  if ("jsonMessage" in found) return [found.jsonMessage.context.topic, { json: found.jsonMessage.message }];
  return [found.binaryMessage.context.topic, { binary: found.binaryMessage.message }];
}

const IotCore = z.object({
  message: z.object({ topicName: z.string(), payload: Bytes.default(() => new Uint8Array()) }),
});
export function iotCoreMessage(event: model.IoTCoreMessage): IotCoreMessage {
  const { message } = IotCore.parse(event);
  return { topic: message.topicName, payload: message.payload };
}

const Validation = z.object({
  validateConfigurationUpdateEvent: z.object({
    configuration: ObjectDocument.default({}),
    deploymentId: z.string(),
  }),
});
export function validation(event: model.ValidateConfigurationUpdateEvents): {
  readonly configuration: JsonObject;
  readonly deploymentId: string;
} {
  return Validation.parse(event).validateConfigurationUpdateEvent;
}

const Configuration = z.object({ value: z.json() });
export function configuration(response: model.GetConfigurationResponse): JsonValue {
  return Configuration.parse(response).value;
}

const Secret = z.object({
  secretValue: z.object({ secretString: z.string().optional(), secretBinary: Bytes.optional() }),
});
export function secret(response: model.GetSecretValueResponse): {
  readonly secretString?: string;
  readonly secretBinary?: Uint8Array;
} {
  const { secretString, secretBinary } = Secret.parse(response).secretValue;
  return {
    ...(secretString === undefined ? {} : { secretString }),
    ...(secretBinary === undefined ? {} : { secretBinary }),
  };
}

const Shadow = z.object({ payload: Bytes });
export function shadow(response: model.GetThingShadowResponse | model.UpdateThingShadowResponse): Uint8Array {
  return Shadow.parse(response).payload;
}

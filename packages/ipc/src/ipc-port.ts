import type { Ipc, JsonObject, JsonValue, OutgoingMessage, Subscription } from "@coalmine/ports";
import { invariant, messageOf } from "@coalmine/runtime";
import { deferral, sendAnswer, validationAnswer, type IpcContext } from "./answers.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { configurationValue } from "./configuration-value.ts";
import { copyJson } from "./copy-json.ts";
import { events, responses } from "./events.ts";
import { refusal } from "./ipc-error.ts";
import { LocalStream } from "./local-stream.ts";
import { operationNamed, type OperationName } from "./operations.ts";
import { IpcServiceError, type IpcService, type IpcStream } from "./service.ts";

/**
 * The `Ipc` of a hosted component: the same service that frames carry to a process, by plain calls. Only resolved
 * promises order what happens, so that it runs on a driven clock.
 */
export function ipcPort(service: IpcService, principal: string, context: IpcContext): Ipc {
  const { clock, log } = context;

  /** For what has no answer but that it was done: a device publishes hundreds of times an hour. What `make` gives is not copied. */
  async function tell(name: OperationName, make: () => JsonObject): Promise<void> {
    try {
      await service.open(principal, name, make(), noStream);
    } catch (thrown) {
      throw refused(name, thrown);
    }
  }

  async function call(name: OperationName, request: object): Promise<JsonObject> {
    try {
      return copyJson(await service.open(principal, name, copyJson(request), noStream));
    } catch (thrown) {
      throw refused(name, thrown);
    }
  }

  async function subscribe(
    name: OperationName,
    request: object,
    receive: (event: JsonObject) => void,
  ): Promise<Subscription> {
    const operation = operationNamed(name);
    invariant(operation !== undefined, `the model has no operation ${name}`);
    const stream = new LocalStream(operation, context, receive);
    try {
      await service.open(principal, name, copyJson(request), stream);
    } catch (thrown) {
      stream.close();
      throw refused(name, thrown);
    }
    stream.answered();
    return {
      close: async () => stream.close(),
    };
  }

  async function getConfiguration(keyPath: readonly string[], componentName?: string): Promise<JsonValue> {
    const component = componentName === undefined ? {} : { componentName };
    const response = await call("GetConfiguration", { keyPath: [...keyPath], ...component });
    return responses.GetConfiguration.parse(response).value;
  }

  return {
    publish: (topic, message) =>
      tell("PublishToTopic", () => ({ topic, publishMessage: wireMessage(message) })),
    subscribe: (topic, receive, options) =>
      subscribe("SubscribeToTopic", { topic, ...options }, (event) => {
        const read = events.SubscriptionResponseMessage.parse(event);
        if ("jsonMessage" in read)
          receive(read.jsonMessage.context.topic, { json: read.jsonMessage.message });
        else receive(read.binaryMessage.context.topic, { binary: fromBase64(read.binaryMessage.message) });
      }),
    publishToIotCore: (topicName, qos, payload) =>
      tell("PublishToIoTCore", () => ({ topicName, qos: String(qos), payload: toBase64(payload) })),
    subscribeToIotCore: (topicName, qos, receive) =>
      subscribe("SubscribeToIoTCore", { topicName, qos: String(qos) }, (event) => {
        const { message } = events.IoTCoreMessage.parse(event);
        receive({ topic: message.topicName, payload: fromBase64(message.payload) });
      }),
    getConfiguration: (keyPath, componentName) =>
      configurationValue(keyPath, (path) => getConfiguration(path, componentName)),
    updateConfiguration: (keyPath, value) =>
      tell("UpdateConfiguration", () =>
        copyJson({ keyPath, timestamp: clock.now() / 1000, valueToMerge: value }),
      ),
    subscribeToConfigurationUpdate: (keyPath, changed) =>
      subscribe("SubscribeToConfigurationUpdate", { keyPath: [...keyPath] }, (event) =>
        changed(events.ConfigurationUpdateEvents.parse(event).configurationUpdateEvent.keyPath),
      ),
    subscribeToValidateConfigurationUpdates: (validate) =>
      subscribe("SubscribeToValidateConfigurationUpdates", {}, (event) => {
        const asked = events.ValidateConfigurationUpdateEvents.parse(event).validateConfigurationUpdateEvent;
        void sendAnswer("SendConfigurationValidityReport", log, async () => {
          const answer = await validationAnswer(() => validate(asked.configuration), log);
          const configurationValidityReport = { ...answer, deploymentId: asked.deploymentId };
          await tell("SendConfigurationValidityReport", () => ({ configurationValidityReport }));
        });
      }),
    subscribeToComponentUpdates: ({ before, after }) =>
      subscribe("SubscribeToComponentUpdates", {}, (event) => {
        const read = events.ComponentUpdatePolicyEvents.parse(event);
        if ("postUpdateEvent" in read) return after();
        void sendAnswer("DeferComponentUpdate", log, async () => {
          const recheckAfterMs = await deferral(before, log);
          const { deploymentId } = read.preUpdateEvent;
          await tell("DeferComponentUpdate", () => ({ deploymentId, recheckAfterMs }));
        });
      }),
    updateState: (state) => tell("UpdateState", () => ({ state })),
    getSecretValue: async (secretId) => {
      const response = await call("GetSecretValue", { secretId });
      const { secretString, secretBinary } = responses.GetSecretValue.parse(response).secretValue;
      return {
        ...(secretString === undefined ? {} : { secretString }),
        ...(secretBinary === undefined ? {} : { secretBinary: fromBase64(secretBinary) }),
      };
    },
    getThingShadow: async (thingName, shadowName) => {
      const response = await call("GetThingShadow", { thingName, shadowName });
      return fromBase64(responses.Shadow.parse(response).payload);
    },
    updateThingShadow: async (thingName, shadowName, payload) => {
      const response = await call("UpdateThingShadow", {
        thingName,
        shadowName,
        payload: toBase64(payload),
      });
      return fromBase64(responses.Shadow.parse(response).payload);
    },
  };
}

function refused(name: OperationName, thrown: unknown): Error {
  return thrown instanceof IpcServiceError
    ? refusal(name, thrown.code, thrown.message, thrown)
    : refusal(name, "ServiceError", messageOf(thrown), thrown);
}

/** Of an operation that has no events: it is over with its answer. */
const noStream: IpcStream = {
  send: (shape) => invariant(false, `an operation without events sends ${shape}`),
  end: () => undefined,
  onClose: () => undefined,
};

function wireMessage(message: OutgoingMessage): JsonObject {
  if ("binary" in message) return { binaryMessage: { message: toBase64(message.binary) } };
  return { jsonMessage: { message: copyJson(message.json) } };
}

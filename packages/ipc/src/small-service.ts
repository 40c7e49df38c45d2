import type { JsonObject, JsonValue } from "@coalmine/ports";
import type { OperationName } from "./operations.ts";
import { parseRequest } from "./requests.ts";
import { IpcServiceError, type IpcService, type IpcStream } from "./service.ts";

/**
 * A device small enough to read: what the conformance suite puts behind either end of IPC. Topics, configuration,
 * secrets and shadows live in memory; the core device of the simulator is the real one.
 */
export class SmallService implements IpcService {
  /** Token → component. */
  readonly tokens = new Map<string, string>();
  /** Component → configuration. */
  readonly configurations = new Map<string, JsonObject>();
  /** What reached IoT Core, in order. */
  readonly published: { topic: string; qos: string; payload: string }[] = [];
  /** Answers of components to validation and update events, in order. */
  readonly answers: JsonObject[] = [];
  readonly states = new Map<string, string>();
  readonly #subscribers = new Set<Subscriber>();

  authenticate(authToken: string): string | undefined {
    return this.tokens.get(authToken);
  }

  async open(
    principal: string,
    operation: string,
    request: JsonObject,
    stream: IpcStream,
  ): Promise<JsonObject> {
    const handler = this.#handlers.get(operation);
    if (handler === undefined)
      throw new IpcServiceError("ServiceError", `Operation ${operation} is not supported by Greengrass`);
    return handler(request, principal, stream);
  }

  /** How many subscriptions to `operation` are open. */
  subscriptions(operation: OperationName): number {
    return [...this.#subscribers].filter((subscriber) => subscriber.operation === operation).length;
  }

  /** Sends `event` to every subscriber of `operation`. */
  tell(operation: OperationName, shape: string, event: JsonObject): void {
    for (const subscriber of this.#subscribers)
      if (subscriber.operation === operation) subscriber.stream.send(shape, event);
  }

  /** Ends every subscription to `operation` from the device's side. */
  hangUp(operation: OperationName): void {
    for (const subscriber of this.#subscribers)
      if (subscriber.operation === operation) subscriber.stream.end();
  }

  readonly #handlers = new Map<string, Handler>([
    [
      "PublishToTopic",
      (request, principal) => {
        const { topic, publishMessage } = parseRequest("PublishToTopic", request);
        if (topic.startsWith("denied/"))
          throw new IpcServiceError("UnauthorizedError", `no ${topic} for you`);
        if (topic.includes("#")) throw new IpcServiceError("InvalidArgumentsError", "no filters here");
        if (topic === "broken") throw new Error("the bus is broken");
        const { jsonMessage, binaryMessage } = publishMessage;
        const context = { topic };
        const event: JsonObject =
          binaryMessage === undefined
            ? { jsonMessage: { message: jsonMessage?.message ?? {}, context } }
            : { binaryMessage: { message: binaryMessage.message ?? "", context } };
        for (const subscriber of this.#subscribers)
          if (subscriber.operation === "SubscribeToTopic" && hears(subscriber, topic, principal))
            subscriber.stream.send("SubscriptionResponseMessage", event);
        return {};
      },
    ],
    [
      "SubscribeToTopic",
      (request, principal, stream) => {
        const { topic, receiveMode } = parseRequest("SubscribeToTopic", request);
        if (topic === "") throw new IpcServiceError("InvalidArgumentsError", "an empty topic");
        const mode =
          receiveMode ?? (/[+#]/.test(topic) ? "RECEIVE_MESSAGES_FROM_OTHERS" : "RECEIVE_ALL_MESSAGES");
        const others = mode === "RECEIVE_MESSAGES_FROM_OTHERS";
        this.#subscribe("SubscribeToTopic", stream, { filter: topic, butNot: others ? principal : "" });
        return { topicName: topic };
      },
    ],
    [
      "PublishToIoTCore",
      (request) => {
        const { topicName, qos, payload = "" } = parseRequest("PublishToIoTCore", request);
        this.published.push({ topic: topicName, qos, payload });
        const event = { message: { topicName, payload } };
        for (const subscriber of this.#subscribers)
          if (subscriber.operation === "SubscribeToIoTCore" && hears(subscriber, topicName, ""))
            subscriber.stream.send("IoTCoreMessage", event);
        return {};
      },
    ],
    [
      "SubscribeToIoTCore",
      (request, _principal, stream) => {
        const { topicName } = parseRequest("SubscribeToIoTCore", request);
        return this.#subscribe("SubscribeToIoTCore", stream, { filter: topicName });
      },
    ],
    [
      "GetConfiguration",
      (request, principal) => {
        const { keyPath, componentName = principal } = parseRequest("GetConfiguration", request);
        let value: JsonValue | undefined = this.configurations.get(componentName);
        for (const key of keyPath) value = isObject(value) ? value[key] : undefined;
        if (value === undefined) throw new IpcServiceError("ResourceNotFoundError", "Key not found");
        const last = keyPath.at(-1) ?? "";
        return { componentName, value: isObject(value) ? value : { [last]: value } };
      },
    ],
    [
      "UpdateConfiguration",
      (request, principal) => {
        const { keyPath = [], timestamp, valueToMerge } = parseRequest("UpdateConfiguration", request);
        if (timestamp < 1_000_000) throw new IpcServiceError("FailedUpdateConditionCheckError", "too old");
        let container = this.configurations.get(principal) ?? {};
        this.configurations.set(principal, container);
        for (const key of keyPath) {
          const next = container[key];
          container = isObject(next) ? next : (container[key] = {});
        }
        Object.assign(container, valueToMerge);
        for (const key of Object.keys(valueToMerge))
          this.tell("SubscribeToConfigurationUpdate", "ConfigurationUpdateEvents", {
            configurationUpdateEvent: { componentName: principal, keyPath: [...keyPath, key] },
          });
        return {};
      },
    ],
    [
      "SubscribeToConfigurationUpdate",
      (_r, _p, stream) => this.#subscribe("SubscribeToConfigurationUpdate", stream),
    ],
    [
      "SubscribeToValidateConfigurationUpdates",
      (_r, _p, stream) => this.#subscribe("SubscribeToValidateConfigurationUpdates", stream),
    ],
    [
      "SubscribeToComponentUpdates",
      (_r, _p, stream) => this.#subscribe("SubscribeToComponentUpdates", stream),
    ],
    ["SendConfigurationValidityReport", (request) => this.#answer(request)],
    ["DeferComponentUpdate", (request) => this.#answer({ ...request })],
    [
      "UpdateState",
      (request, principal) => {
        this.states.set(principal, parseRequest("UpdateState", request).state);
        return {};
      },
    ],
    [
      "GetSecretValue",
      (request) => {
        const { secretId } = parseRequest("GetSecretValue", request);
        const secretValue =
          secretId === "bytes" ? { secretBinary: "AP8=" } : { secretString: `of ${secretId}` };
        return { secretId, versionId: "1", versionStage: ["AWSCURRENT"], secretValue };
      },
    ],
    ["GetThingShadow", (request) => ({ payload: this.#shadow(parseRequest("GetThingShadow", request)) })],
    [
      "UpdateThingShadow",
      (request) => {
        const { payload, ...shadow } = parseRequest("UpdateThingShadow", request);
        this.#shadows.set(`${shadow.thingName}/${shadow.shadowName ?? ""}`, payload);
        return { payload };
      },
    ],
  ]);
  readonly #shadows = new Map<string, string>();

  #subscribe(operation: OperationName, stream: IpcStream, topic: Partial<Subscriber> = {}): JsonObject {
    const subscriber: Subscriber = { operation, stream, filter: "#", butNot: "", ...topic };
    this.#subscribers.add(subscriber);
    stream.onClose(() => this.#subscribers.delete(subscriber));
    return {};
  }

  #answer(request: JsonObject): JsonObject {
    this.answers.push(request);
    return {};
  }

  #shadow({ thingName, shadowName = "" }: { thingName: string; shadowName?: string | undefined }): string {
    const payload = this.#shadows.get(`${thingName}/${shadowName}`);
    if (payload !== undefined) return payload;
    throw new IpcServiceError("ResourceNotFoundError", `No shadow exists with name: ${shadowName}`);
  }
}

type Handler = (request: JsonObject, principal: string, stream: IpcStream) => JsonObject;

interface Subscriber {
  readonly operation: OperationName;
  readonly stream: IpcStream;
  readonly filter: string;
  readonly butNot: string;
}

function hears({ filter, butNot }: Subscriber, topic: string, from: string): boolean {
  if (butNot !== "" && butNot === from) return false;
  const levels = topic.split("/");
  const wanted = filter.split("/");
  if (wanted.at(-1) === "#" ? levels.length < wanted.length : levels.length !== wanted.length) return false;
  return wanted.every((level, index) => level === "#" || level === "+" || level === levels[index]);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

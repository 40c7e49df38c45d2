import { IpcServiceError, parseRequest, type IpcStream, type RequestOf } from "@coalmine/ipc";
import type { JsonObject, Log } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { CloudSession } from "../cloud/session.ts";
import type { MessageFields } from "../ports.ts";
import type { Authorize, Handlers } from "./handler.ts";
import type { LocalTopics } from "./local-topics.ts";

const PUBSUB = "aws.greengrass.ipc.pubsub";
const MQTT = "aws.greengrass.ipc.mqttproxy";

interface MessagingOptions {
  readonly topics: LocalTopics;
  readonly session: CloudSession;
  readonly authorize: Authorize;
  readonly log: Log;
}

/** Messages between components, and to and from IoT Core. */
export class MessagingOperations {
  readonly #options: MessagingOptions;
  readonly handlers: Handlers = {
    PublishToTopic: (principal, request) => this.#publish(principal, request),
    SubscribeToTopic: (principal, request, stream) => this.#subscribe(principal, request, stream),
    PublishToIoTCore: (principal, request) => this.#publishToIotCore(principal, request),
    SubscribeToIoTCore: (principal, request, stream) => this.#subscribeToIotCore(principal, request, stream),
  };

  constructor(options: MessagingOptions) {
    this.#options = options;
  }

  #publish(principal: string, request: JsonObject): JsonObject {
    const { topics, authorize } = this.#options;
    const { topic, publishMessage } = parseRequest("PublishToTopic", request);
    authorize(principal, PUBSUB, "PublishToTopic", topic);
    if (topic === "" || /[+#*]/.test(topic))
      throw new IpcServiceError(
        "InvalidArgumentsError",
        "Publish topic must not be empty or contain a wildcard.",
      );
    const context = { topic };
    const { jsonMessage, binaryMessage } = publishMessage;
    if (jsonMessage?.message !== undefined)
      topics.publish(principal, topic, { jsonMessage: { message: jsonMessage.message, context } });
    else if (binaryMessage?.message !== undefined)
      topics.publish(principal, topic, { binaryMessage: { message: binaryMessage.message, context } });
    else throw new IpcServiceError("InvalidArgumentsError", "Publish message must be provided.");
    return {};
  }

  #subscribe(principal: string, request: JsonObject, stream: IpcStream): JsonObject {
    const { topic, receiveMode } = parseRequest("SubscribeToTopic", request);
    this.#options.authorize(principal, PUBSUB, "SubscribeToTopic", topic);
    if (topic === "")
      throw new IpcServiceError("InvalidArgumentsError", "Subscribe topic must not be empty.");
    const subscription = this.#options.topics.subscribe(principal, topic, receiveMode, (event) =>
      stream.send("SubscriptionResponseMessage", event),
    );
    stream.onClose(() => subscription.close());
    return {};
  }

  async #publishToIotCore(principal: string, request: JsonObject): Promise<JsonObject> {
    const asked = parseRequest("PublishToIoTCore", request);
    const { topicName, qos, payload } = asked;
    if (payload === undefined)
      throw new IpcServiceError("InvalidArgumentsError", "PublishToIoTCore: payload is required");
    const quality = qualityOf(qos);
    this.#options.authorize(principal, MQTT, "PublishToIoTCore", topicName, "MQTT_STYLE");
    const { spooler } = this.#options.session;
    try {
      spooler.add(topicName, Buffer.from(payload, "base64"), quality, fieldsOf(asked));
    } catch (failure) {
      throw new IpcServiceError(
        "ServiceError",
        `Publish to topic ${topicName} failed: ${messageOf(failure)}`,
      );
    }
    await spooler.synced();
    return {};
  }

  async #subscribeToIotCore(principal: string, request: JsonObject, stream: IpcStream): Promise<JsonObject> {
    const { topicName, qos } = parseRequest("SubscribeToIoTCore", request);
    const quality = qualityOf(qos);
    this.#options.authorize(principal, MQTT, "SubscribeToIoTCore", topicName, "MQTT_STYLE");
    const { session, log } = this.#options;
    let isClosed = false;
    try {
      const subscription = await session.subscribe(
        topicName,
        quality,
        (topic, payload, { userProperties, ...fields }) => {
          const message = {
            topicName: topic,
            payload: Buffer.from(payload).toString("base64"),
            ...fields,
            ...(userProperties === undefined
              ? {}
              : { userProperties: userProperties.map((property) => ({ ...property })) }),
          };
          if (!isClosed) stream.send("IoTCoreMessage", { message });
        },
      );
      stream.onClose(() => {
        isClosed = true;
        subscription
          .close()
          .catch((failure: unknown) => log.debug("could not unsubscribe", { why: messageOf(failure) }));
      });
      return {};
    } catch (failure) {
      throw new IpcServiceError(
        "ServiceError",
        `Subscribe to topic ${topicName} failed with error ${messageOf(failure)}`,
      );
    }
  }
}

/** The nucleus passes the content type on in one direction only: to components. */
function fieldsOf(asked: RequestOf<"PublishToIoTCore">): MessageFields {
  const { userProperties, messageExpiryIntervalSeconds, correlationData, responseTopic } = asked;
  return {
    retain: asked.retain ?? false,
    payloadFormat: asked.payloadFormat ?? "0",
    ...(userProperties === undefined
      ? {}
      : { userProperties: userProperties.map(({ key = "", value = "" }) => ({ key, value })) }),
    ...(messageExpiryIntervalSeconds === undefined ? {} : { messageExpiryIntervalSeconds }),
    ...(correlationData === undefined ? {} : { correlationData }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
  };
}

function qualityOf(qos: string): 0 | 1 {
  if (qos === "0") return 0;
  if (qos === "1") return 1;
  throw new IpcServiceError("InvalidArgumentsError", `Invalid QoS value ${qos}`);
}

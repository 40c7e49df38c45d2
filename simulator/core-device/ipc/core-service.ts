import { IpcServiceError, parseRequest, type IpcService, type IpcStream } from "@coalmine/ipc";
import type { Clock, JsonObject, Log } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { CloudSession } from "../cloud/session.ts";
import type { ConfigurationTree } from "../configuration/tree.ts";
import type { ComponentUpdates } from "../deployment/component-updates.ts";
import type { ConfigurationValidation } from "../deployment/configuration-validation.ts";
import type { Services } from "../lifecycle/services.ts";
import { AccessControl } from "./access-control.ts";
import { ConfigurationOperations } from "./configuration-operations.ts";
import { LocalTopics } from "./local-topics.ts";
import type { Lookup } from "./resource-pattern.ts";

interface CoreServiceOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly tree: ConfigurationTree;
  readonly services: Services;
  readonly session: CloudSession;
  readonly updates: ComponentUpdates;
  readonly validation: ConfigurationValidation;
}

const PUBSUB = "aws.greengrass.ipc.pubsub";
const MQTT = "aws.greengrass.ipc.mqttproxy";
const CLI = "aws.greengrass.Cli";

type Handler = (
  principal: string,
  request: JsonObject,
  stream: IpcStream,
) => Promise<JsonObject> | JsonObject;

/** Greengrass IPC as the nucleus answers it. */
export class CoreService implements IpcService {
  readonly #options: CoreServiceOptions;
  readonly #access: AccessControl;
  readonly #topics = new LocalTopics();
  readonly #handlers: ReadonlyMap<string, Handler>;

  constructor(options: CoreServiceOptions) {
    this.#options = options;
    const { tree, clock, log } = options;
    this.#access = new AccessControl(tree, log);
    const configuration = new ConfigurationOperations(tree, clock);
    this.#handlers = new Map<string, Handler>([
      ["PublishToTopic", (principal, request) => this.#publish(principal, request)],
      ["SubscribeToTopic", (principal, request, stream) => this.#subscribe(principal, request, stream)],
      ["PublishToIoTCore", (principal, request) => this.#publishToIotCore(principal, request)],
      [
        "SubscribeToIoTCore",
        (principal, request, stream) => this.#subscribeToIotCore(principal, request, stream),
      ],
      ["GetConfiguration", (principal, request) => configuration.get(principal, request)],
      ["UpdateConfiguration", (principal, request) => configuration.update(principal, request)],
      [
        "SubscribeToConfigurationUpdate",
        (principal, request, stream) => configuration.subscribe(principal, request, stream),
      ],
      [
        "SubscribeToValidateConfigurationUpdates",
        (principal, _, stream) => this.#subscribeToValidation(principal, stream),
      ],
      ["SendConfigurationValidityReport", (principal, request) => this.#validity(principal, request)],
      ["SubscribeToComponentUpdates", (principal, _, stream) => this.#subscribeToUpdates(principal, stream)],
      ["DeferComponentUpdate", (principal, request) => this.#defer(principal, request)],
      ["UpdateState", (principal, request) => this.#updateState(principal, request)],
      ["ListComponents", (principal) => this.#list(principal)],
      ["GetComponentDetails", (principal, request) => this.#details(principal, request)],
      ["RestartComponent", (principal, request) => this.#restart(principal, request)],
      ["StopComponent", (principal, request) => this.#stop(principal, request)],
    ]);
  }

  authenticate(authToken: string): string | undefined {
    return this.#options.services.ownerOf(authToken);
  }

  async open(
    principal: string,
    operation: string,
    request: JsonObject,
    stream: IpcStream,
  ): Promise<JsonObject> {
    const handler = this.#handlers.get(operation);
    if (handler === undefined)
      throw new IpcServiceError(
        "ServiceError",
        `Operation aws.greengrass#${operation} is not supported by Greengrass`,
      );
    return handler(principal, request, stream);
  }

  #authorize(principal: string, service: string, operation: string, resource: string, lookup: Lookup): void {
    if (this.#access.isAllowed(principal, service, operation, resource, lookup)) return;
    const why =
      service === MQTT
        ? "Not Authorized"
        : `Principal ${principal} is not authorized to perform ${service}:aws.greengrass#${operation} on resource ${resource}`;
    throw new IpcServiceError("UnauthorizedError", why);
  }

  #publish(principal: string, request: JsonObject): JsonObject {
    const { topic, publishMessage } = parseRequest("PublishToTopic", request);
    this.#authorize(principal, PUBSUB, "PublishToTopic", topic, "STANDARD");
    if (topic === "" || /[+#*]/.test(topic))
      throw new IpcServiceError(
        "InvalidArgumentsError",
        "Publish topic must not be empty or contain a wildcard.",
      );
    const context = { topic };
    const { jsonMessage, binaryMessage } = publishMessage;
    if (jsonMessage?.message !== undefined)
      this.#topics.publish(principal, topic, { jsonMessage: { message: jsonMessage.message, context } });
    else if (binaryMessage?.message !== undefined)
      this.#topics.publish(principal, topic, { binaryMessage: { message: binaryMessage.message, context } });
    else throw new IpcServiceError("InvalidArgumentsError", "Publish message must be provided.");
    return {};
  }

  #subscribe(principal: string, request: JsonObject, stream: IpcStream): JsonObject {
    const { topic, receiveMode } = parseRequest("SubscribeToTopic", request);
    this.#authorize(principal, PUBSUB, "SubscribeToTopic", topic, "STANDARD");
    if (topic === "")
      throw new IpcServiceError("InvalidArgumentsError", "Subscribe topic must not be empty.");
    const subscription = this.#topics.subscribe(principal, topic, receiveMode, (event) =>
      stream.send("SubscriptionResponseMessage", event),
    );
    stream.onClose(() => subscription.close());
    return { topicName: topic };
  }

  #publishToIotCore(principal: string, request: JsonObject): JsonObject {
    const { topicName, qos, payload = "" } = parseRequest("PublishToIoTCore", request);
    this.#authorize(principal, MQTT, "PublishToIoTCore", topicName, "MQTT_STYLE");
    try {
      this.#options.session.spooler.add(topicName, Buffer.from(payload, "base64"), qos === "1" ? 1 : 0);
    } catch (failure) {
      throw new IpcServiceError(
        "ServiceError",
        `Publish to topic ${topicName} failed: ${messageOf(failure)}`,
      );
    }
    return {};
  }

  async #subscribeToIotCore(principal: string, request: JsonObject, stream: IpcStream): Promise<JsonObject> {
    const { topicName, qos } = parseRequest("SubscribeToIoTCore", request);
    this.#authorize(principal, MQTT, "SubscribeToIoTCore", topicName, "MQTT_STYLE");
    const { session, log } = this.#options;
    let isClosed = false;
    try {
      const subscription = await session.subscribe(topicName, qos === "1" ? 1 : 0, (topic, payload) => {
        const message = { topicName: topic, payload: Buffer.from(payload).toString("base64") };
        if (!isClosed) stream.send("IoTCoreMessage", { message });
      });
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

  #subscribeToValidation(principal: string, stream: IpcStream): JsonObject {
    const subscription = this.#options.validation.subscribe(principal, (configuration, deploymentId) =>
      stream.send("ValidateConfigurationUpdateEvents", {
        validateConfigurationUpdateEvent: { configuration, deploymentId },
      }),
    );
    stream.onClose(() => subscription.close());
    return {};
  }

  #validity(principal: string, request: JsonObject): JsonObject {
    const { configurationValidityReport: report } = parseRequest("SendConfigurationValidityReport", request);
    const accepted = report.status === "ACCEPTED";
    if (!this.#options.validation.answer(principal, report.deploymentId, accepted, report.message ?? ""))
      throw new IpcServiceError(
        "InvalidArgumentsError",
        "Validation request either timed out or was never made",
      );
    return {};
  }

  #subscribeToUpdates(principal: string, stream: IpcStream): JsonObject {
    if (this.#options.services.get(principal) === undefined)
      throw new IpcServiceError("ResourceNotFoundError", `Component ${principal} not found`);
    const subscription = this.#options.updates.subscribe(principal, (event) =>
      stream.send("ComponentUpdatePolicyEvents", event),
    );
    stream.onClose(() => subscription.close());
    return {};
  }

  #defer(principal: string, request: JsonObject): JsonObject {
    const { deploymentId, recheckAfterMs } = parseRequest("DeferComponentUpdate", request);
    const { updates } = this.#options;
    if (!updates.isSubscribed(principal))
      throw new IpcServiceError("InvalidArgumentsError", "Component is not subscribed to component updates");
    // Without a time it is no answer: the round goes on waiting.
    if (recheckAfterMs === undefined) return {};
    if (!updates.answer(principal, deploymentId, recheckAfterMs))
      throw new IpcServiceError("ServiceError", "Time limit to respond to PreComponentUpdateEvent exceeded");
    return {};
  }

  #updateState(principal: string, request: JsonObject): JsonObject {
    const { state } = parseRequest("UpdateState", request);
    const component = this.#options.services.get(principal);
    if (component === undefined)
      throw new IpcServiceError("ResourceNotFoundError", `Component with name ${principal} not found`);
    component.lifecycle.report(state);
    return {};
  }

  #list(principal: string): JsonObject {
    this.#authorize(principal, CLI, "ListComponents", "*", "STANDARD");
    return { components: this.#options.services.all().map(({ name }) => this.#detailsOf(name)) };
  }

  #details(principal: string, request: JsonObject): JsonObject {
    const name = this.#target(principal, "GetComponentDetails", request, "ResourceNotFoundError");
    return { componentDetails: this.#detailsOf(name) };
  }

  #restart(principal: string, request: JsonObject): JsonObject {
    const name = this.#target(principal, "RestartComponent", request, "ResourceNotFoundError");
    this.#options.services.get(name)?.lifecycle.requestRestart();
    return { restartStatus: "SUCCEEDED" };
  }

  #stop(principal: string, request: JsonObject): JsonObject {
    const name = this.#target(principal, "StopComponent", request, "ResourceNotFoundError");
    this.#options.services.get(name)?.lifecycle.requestStop();
    return { stopStatus: "SUCCEEDED" };
  }

  #target(
    principal: string,
    operation: "GetComponentDetails" | "RestartComponent" | "StopComponent",
    request: JsonObject,
    notFound: string,
  ): string {
    const { componentName } = parseRequest(operation, request);
    if (componentName === "")
      throw new IpcServiceError("InvalidArgumentsError", "Component name must not be empty");
    this.#authorize(principal, CLI, operation, componentName, "STANDARD");
    if (this.#options.services.get(componentName) === undefined)
      throw new IpcServiceError(notFound, `Component with name ${componentName} not found`);
    return componentName;
  }

  #detailsOf(name: string): JsonObject {
    const component = this.#options.services.get(name);
    return {
      componentName: name,
      version: component?.definition.version ?? "",
      state: component?.lifecycle.state ?? "NEW",
      configuration: this.#options.tree.getObject(["services", name, "configuration"]),
    };
  }
}

import { copyJson, IpcServiceError, parseRequest, type IpcStream } from "@coalmine/ipc";
import type { JsonObject } from "@coalmine/ports";
import type { ComponentUpdates } from "../deployment/component-updates.ts";
import type { ConfigurationValidation } from "../deployment/configuration-validation.ts";
import type { Services } from "../lifecycle/services.ts";
import type { Handlers } from "./handler.ts";

interface UpdateOptions {
  readonly services: Services;
  readonly updates: ComponentUpdates;
  readonly validation: ConfigurationValidation;
}

/** What a component is asked before a deployment, and what it answers. */
export class UpdateOperations {
  readonly #options: UpdateOptions;
  readonly handlers: Handlers = {
    SubscribeToValidateConfigurationUpdates: (principal, _, stream) =>
      this.#subscribeToValidation(principal, stream),
    SendConfigurationValidityReport: (principal, request) => this.#validity(principal, request),
    SubscribeToComponentUpdates: (principal, _, stream) => this.#subscribeToUpdates(principal, stream),
    DeferComponentUpdate: (principal, request) => this.#defer(principal, request),
  };

  constructor(options: UpdateOptions) {
    this.#options = options;
  }

  #subscribeToValidation(principal: string, stream: IpcStream): JsonObject {
    const subscription = this.#options.validation.subscribe(principal, (configuration, deploymentId) =>
      stream.send("ValidateConfigurationUpdateEvents", {
        // Who listens is told what the deployment goes on with: it has a copy.
        validateConfigurationUpdateEvent: { configuration: copyJson(configuration), deploymentId },
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
}

import { IpcServiceError, parseRequest } from "@coalmine/ipc";
import type { JsonObject } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { Services } from "../lifecycle/services.ts";
import type { Authorize, Handlers } from "./handler.ts";

const LIFECYCLE = "aws.greengrass.ipc.lifecycle";
const METRIC = "aws.greengrass.ipc.componentmetric";
const STREAM_MANAGER = "aws.greengrass.StreamManager";
const METRIC_NAME_BYTES_MAX = 32;

interface LifecycleOptions {
  readonly services: Services;
  readonly authorize: Authorize;
  readonly authenticate: (token: string) => string | undefined;
  /** Takes a metric for telemetry; its namespace is the component. */
  readonly measured: Measured;
}

export type Measured = (component: string, name: string, unit: string, value: number) => void;

/** Telemetry's own words for the units of the model. */
const telemetryUnits = {
  BYTES: "Bytes",
  BYTES_PER_SECOND: "BytesPerSecond",
  COUNT: "Count",
  COUNT_PER_SECOND: "CountPerSecond",
  MEGABYTES: "Megabytes",
  SECONDS: "Seconds",
} as const;

/** A component's own state, the pausing of others, and what only AWS's own components may ask. */
export class LifecycleOperations {
  readonly #options: LifecycleOptions;
  readonly handlers: Handlers = {
    UpdateState: (principal, request) => this.#updateState(principal, request),
    PauseComponent: (principal, request) => this.#freeze(principal, "PauseComponent", request),
    ResumeComponent: (principal, request) => this.#freeze(principal, "ResumeComponent", request),
    PutComponentMetric: (principal, request) => this.#metric(principal, request),
    ValidateAuthorizationToken: (principal, request) => this.#token(principal, request),
  };

  constructor(options: LifecycleOptions) {
    this.#options = options;
  }

  #updateState(principal: string, request: JsonObject): JsonObject {
    const { state } = parseRequest("UpdateState", request);
    const component = this.#options.services.get(principal);
    if (component === undefined)
      throw new IpcServiceError("ResourceNotFoundError", `Component with name ${principal} not found`);
    component.lifecycle.report(state);
    return {};
  }

  #freeze(
    principal: string,
    operation: "PauseComponent" | "ResumeComponent",
    request: JsonObject,
  ): JsonObject {
    const { componentName: name } = parseRequest(operation, request);
    if (name === "") throw new IpcServiceError("InvalidArgumentsError", "Component name must not be empty");
    this.#options.authorize(principal, LIFECYCLE, operation, name);
    const component = this.#options.services.get(name);
    if (component === undefined)
      throw new IpcServiceError("ResourceNotFoundError", `Component with name ${name} not found`);
    const { processes } = component;
    if (processes === undefined)
      throw new IpcServiceError("InvalidArgumentsError", `Component ${name} has no processes of its own`);
    const isPausing = operation === "PauseComponent";
    if (isPausing && component.lifecycle.state !== "RUNNING")
      throw new IpcServiceError("InvalidArgumentsError", `Component ${name} is not running`);
    if (!isPausing && !processes.isPaused)
      throw new IpcServiceError("InvalidArgumentsError", `Component ${name} is not paused`);
    try {
      if (isPausing) processes.pause();
      else processes.resume();
    } catch (failure) {
      const doing = isPausing ? "pause" : "resume";
      throw new IpcServiceError(
        "ServiceError",
        `Failed to ${doing} component ${name} due to: ${messageOf(failure)}`,
      );
    }
    return {};
  }

  #metric(principal: string, request: JsonObject): JsonObject {
    const { metrics } = parseRequest("PutComponentMetric", request);
    if (!principal.startsWith("aws."))
      throw new IpcServiceError(
        "UnauthorizedError",
        `Principal ${principal} is not authorized to perform ${METRIC}:aws.greengrass#PutComponentMetric`,
      );
    if (metrics.length === 0)
      throw new IpcServiceError("InvalidArgumentsError", "Null or empty list of metrics");
    for (const { name, value } of metrics) {
      if (principal !== STREAM_MANAGER)
        this.#options.authorize(principal, METRIC, "PutComponentMetric", name);
      if (name === "" || Buffer.byteLength(name) > METRIC_NAME_BYTES_MAX || value < 0)
        throw new IpcServiceError(
          "InvalidArgumentsError",
          `The metric "${name}" with value ${value} is not valid: a name has 1 to ${METRIC_NAME_BYTES_MAX} bytes, and no value is below 0`,
        );
    }
    for (const { name, unit, value } of metrics)
      this.#options.measured(principal, name, telemetryUnits[unit], value);
    return {};
  }

  #token(principal: string, request: JsonObject): JsonObject {
    const { token } = parseRequest("ValidateAuthorizationToken", request);
    if (principal !== STREAM_MANAGER)
      throw new IpcServiceError(
        "UnauthorizedError",
        `${principal} is not authorized to perform aws.greengrass#ValidateAuthorizationToken`,
      );
    if (this.#options.authenticate(token) === undefined)
      throw new IpcServiceError("InvalidTokenError", "Unable to find the token");
    return { isValid: true };
  }
}

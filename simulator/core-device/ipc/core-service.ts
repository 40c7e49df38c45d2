import { IpcServiceError, operationNamed, type IpcService, type IpcStream } from "@coalmine/ipc";
import type { Clock, JsonObject, Log } from "@coalmine/ports";
import type { CloudSession } from "../cloud/session.ts";
import type { ConfigurationTree } from "../configuration/tree.ts";
import type { ComponentUpdates } from "../deployment/component-updates.ts";
import type { ConfigurationValidation } from "../deployment/configuration-validation.ts";
import type { Services } from "../lifecycle/services.ts";
import { AccessControl } from "./access-control.ts";
import { ConfigurationOperations } from "./configuration-operations.ts";
import type { Authorize, Handler, Handlers } from "./handler.ts";
import { LifecycleOperations, type Measured } from "./lifecycle-operations.ts";
import type { LocalTopics } from "./local-topics.ts";
import { MessagingOperations } from "./messaging-operations.ts";
import { pluginOf } from "./plugins.ts";
import { UpdateOperations } from "./update-operations.ts";

interface CoreServiceOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly tree: ConfigurationTree;
  readonly services: Services;
  readonly session: CloudSession;
  readonly topics: LocalTopics;
  readonly updates: ComponentUpdates;
  readonly validation: ConfigurationValidation;
  /** What plugins bring; their operations are refused until the plugin is on the device. */
  readonly plugins: (authorize: Authorize) => readonly Handlers[];
  readonly measured: Measured;
  /** Who has a token and is no component: a client of the command line. */
  readonly clientOf: (token: string) => string | undefined;
}

/** Greengrass IPC as the nucleus answers it. */
export class CoreService implements IpcService {
  readonly #options: CoreServiceOptions;
  readonly #handlers: ReadonlyMap<string, Handler>;

  constructor(options: CoreServiceOptions) {
    this.#options = options;
    const { tree, clock, log } = options;
    const access = new AccessControl(tree, log);
    const authorize: Authorize = (principal, service, operation, resource, lookup = "STANDARD") => {
      if (access.isAllowed(principal, service, operation, resource, lookup)) return;
      const why =
        lookup === "MQTT_STYLE"
          ? "Not Authorized"
          : `Principal ${principal} is not authorized to perform ${service}:aws.greengrass#${operation} on resource ${resource}`;
      throw new IpcServiceError("UnauthorizedError", why);
    };
    const authenticate = (token: string): string | undefined => this.authenticate(token);
    this.#handlers = new Map(
      [
        new MessagingOperations({ ...options, authorize }).handlers,
        new ConfigurationOperations(tree, clock).handlers,
        new UpdateOperations(options).handlers,
        new LifecycleOperations({ ...options, authorize, authenticate }).handlers,
        ...options.plugins(authorize),
      ].flatMap((family) => Object.entries(family)),
    );
  }

  authenticate(authToken: string): string | undefined {
    return this.#options.services.ownerOf(authToken) ?? this.#options.clientOf(authToken);
  }

  async open(
    principal: string,
    operation: string,
    request: JsonObject,
    stream: IpcStream,
  ): Promise<JsonObject> {
    const known = operationNamed(operation)?.name;
    const plugin = known === undefined ? undefined : pluginOf[known];
    const isThere = plugin === undefined || this.#options.services.get(plugin) !== undefined;
    const handler = isThere ? this.#handlers.get(operation) : undefined;
    if (handler === undefined)
      throw new IpcServiceError(
        "ServiceError",
        `Operation aws.greengrass#${operation} is not supported by Greengrass`,
      );
    return handler(principal, request, stream);
  }
}

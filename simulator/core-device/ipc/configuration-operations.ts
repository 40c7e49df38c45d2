import type { Clock, JsonObject } from "@coalmine/ports";
import { IpcServiceError, parseRequest, type IpcStream } from "@coalmine/ipc";
import { modtimeOf, toJson, type ConfigurationTree } from "../configuration/tree.ts";
import { isObject } from "../json.ts";
import type { Handlers } from "./handler.ts";

/** A component's configuration through IPC: reading anybody's, writing one's own, hearing of changes. */
export class ConfigurationOperations {
  readonly #tree: ConfigurationTree;
  readonly #clock: Clock;
  readonly handlers: Handlers = {
    GetConfiguration: (principal, request) => this.#get(principal, request),
    UpdateConfiguration: (principal, request) => this.#update(principal, request),
    SubscribeToConfigurationUpdate: (principal, request, stream) =>
      this.#subscribe(principal, request, stream),
  };

  constructor(tree: ConfigurationTree, clock: Clock) {
    this.#tree = tree;
    this.#clock = clock;
  }

  #get(principal: string, request: JsonObject): JsonObject {
    const { componentName = principal, keyPath } = parseRequest("GetConfiguration", request);
    const node = this.#tree.find(["services", componentName, "configuration", ...keyPath]);
    if (node === undefined || keyPath.some((key) => key.startsWith("_")))
      // A component without any configuration has an empty one.
      if (keyPath.length === 0 && this.#tree.find(["services", componentName, "version"]) !== undefined)
        return { componentName, value: {} };
      else throw new IpcServiceError("ResourceNotFoundError", "Key not found");
    const value = toJson(node);
    return {
      componentName,
      value: isObject(value) ? withoutPrivate(value) : { [keyPath.at(-1) ?? ""]: value },
    };
  }

  #update(principal: string, request: JsonObject): JsonObject {
    const { keyPath = [], timestamp, valueToMerge } = parseRequest("UpdateConfiguration", request);
    // Compared with its case, as the nucleus does.
    if (keyPath[0] === "accessControl" || (keyPath.length === 0 && "accessControl" in valueToMerge))
      throw new IpcServiceError(
        "InvalidArgumentsError",
        "Config update is not allowed for following fields [accessControl]",
      );
    const path = ["services", principal, "configuration", ...keyPath];
    const atMs = Math.round(timestamp * 1000);
    const present = this.#tree.find(path);
    if (present === undefined || keyPath.length === 0) this.#tree.merge(path, {}, this.#clock.now());
    // What did not exist takes the time of its making: the request's own time is ignored there.
    this.#tree.merge(path, valueToMerge, present === undefined ? this.#clock.now() : atMs);
    const node = this.#tree.find(path);
    if (present !== undefined && node !== undefined && atMs < modtimeOf(node))
      throw new IpcServiceError(
        "FailedUpdateConditionCheckError",
        "Proposed timestamp is older than the config's latest modified timestamp",
      );
    return {};
  }

  #subscribe(principal: string, request: JsonObject, stream: IpcStream): JsonObject {
    const { componentName = principal, keyPath } = parseRequest("SubscribeToConfigurationUpdate", request);
    const above = ["services", componentName, "configuration"];
    const exists = this.#tree.find([...above, ...keyPath]) !== undefined;
    const isWhole =
      keyPath.length === 0 && this.#tree.find(["services", componentName, "version"]) !== undefined;
    if (!exists && !isWhole) throw new IpcServiceError("ResourceNotFoundError", "Key not found");
    const watched = [...above, ...keyPath].map((name) => name.toLowerCase());
    const subscription = this.#tree.onChange(({ kind, path }) => {
      if (kind === "timestampUpdated" || kind === "interiorAdded") return;
      if (!watched.every((name, index) => path[index]?.toLowerCase() === name)) return;
      stream.send("ConfigurationUpdateEvents", {
        configurationUpdateEvent: { componentName, keyPath: path.slice(above.length) },
      });
    });
    stream.onClose(() => subscription.close());
    return {};
  }
}

function withoutPrivate(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !key.startsWith("_")));
}

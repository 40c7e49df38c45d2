/** Greengrass IPC as operations; frames are somebody else's matter. Refusals are `IpcError`s with Greengrass's own code. */

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };

/** A message on a local topic: JSON object or bytes, exactly one of them. */
export type LocalMessage = { readonly json: JsonObject } | { readonly binary: Uint8Array };

/** What may be published: `json` is any object that JSON can carry (a value of a contract's schema). */
export type OutgoingMessage = { readonly json: object } | { readonly binary: Uint8Array };

export interface Subscription {
  close(): Promise<void>;
}

/** The error codes of the IPC model that a component can meet, and `Disconnected` when the connection is gone. */
export type IpcErrorCode =
  | "UnauthorizedError"
  | "ResourceNotFoundError"
  | "ConflictError"
  | "InvalidArgumentsError"
  | "FailedUpdateConditionCheckError"
  | "ServiceError"
  | "ComponentNotFoundError"
  | "Disconnected";

export interface IpcError extends Error {
  readonly name: "IpcError";
  readonly code: IpcErrorCode;
}

export interface IotCoreMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
}

export type ValidationAnswer =
  | { readonly status: "ACCEPTED" }
  | { readonly status: "REJECTED"; readonly message: string };

export interface Ipc {
  publish(topic: string, message: OutgoingMessage): Promise<void>;
  /** `receive` is called in order of publishing. Filters take `+` and `#` by Greengrass's local rules. */
  subscribe(
    topicFilter: string,
    receive: (topic: string, message: LocalMessage) => void,
    options?: { readonly receiveMode?: "RECEIVE_ALL_MESSAGES" | "RECEIVE_MESSAGES_FROM_OTHERS" },
  ): Promise<Subscription>;

  /** Resolves when the device has taken the message into its spooler; delivery comes later or never. */
  publishToIotCore(topic: string, qos: 0 | 1, payload: Uint8Array): Promise<void>;
  subscribeToIotCore(
    topicFilter: string,
    qos: 0 | 1,
    receive: (message: IotCoreMessage) => void,
  ): Promise<Subscription>;

  /** The value at `keyPath` of the component's own configuration, or of `componentName`'s. */
  getConfiguration(keyPath: readonly string[], componentName?: string): Promise<JsonValue>;
  /** Merges `value` into the container at `keyPath` of the component's own configuration. */
  updateConfiguration(keyPath: readonly string[], value: JsonObject): Promise<void>;
  /** `changed` is told where something changed, never the value. */
  subscribeToConfigurationUpdate(
    keyPath: readonly string[],
    changed: (keyPath: readonly string[]) => void,
  ): Promise<Subscription>;
  /** `validate` is asked before a deployment changes this component's configuration. */
  subscribeToValidateConfigurationUpdates(
    validate: (configuration: JsonObject) => ValidationAnswer | Promise<ValidationAnswer>,
  ): Promise<Subscription>;
  /** `before` answers for how many milliseconds the update should wait; 0 lets it go on. */
  subscribeToComponentUpdates(handlers: {
    readonly before: () => number | Promise<number>;
    readonly after: () => void;
  }): Promise<Subscription>;
  updateState(state: "RUNNING" | "ERRORED"): Promise<void>;

  getSecretValue(
    secretId: string,
  ): Promise<{ readonly secretString?: string; readonly secretBinary?: Uint8Array }>;
  getThingShadow(thingName: string, shadowName: string): Promise<Uint8Array>;
  updateThingShadow(thingName: string, shadowName: string, payload: Uint8Array): Promise<Uint8Array>;
}

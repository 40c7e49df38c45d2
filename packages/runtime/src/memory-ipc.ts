import type {
  Ipc,
  IotCoreMessage,
  JsonObject,
  JsonValue,
  LocalMessage,
  Subscription,
  ValidationAnswer,
} from "@coalmine/ports";

/**
 * Greengrass IPC of one device in memory, for tests of components: a bus, one component's configuration, and what went
 * to IoT Core. It has none of a core device's rules; those are the core device's own tests.
 */
export class MemoryIpc implements Ipc {
  readonly #subscribers = new Set<{
    filter: string;
    receive: (topic: string, message: LocalMessage) => void;
  }>();
  readonly #configurationSubscribers = new Set<(keyPath: readonly string[]) => void>();
  readonly #validators = new Set<
    (configuration: JsonObject) => ValidationAnswer | Promise<ValidationAnswer>
  >();
  readonly #updates = new Set<{ before: () => number | Promise<number>; after: () => void }>();
  configuration: JsonObject;
  readonly toIotCore: IotCoreMessage[] = [];
  /** Told of each publication; false loses it, as at-most-once delivery may. */
  deliver: (topic: string, message: LocalMessage) => boolean = () => true;

  constructor(configuration: JsonObject = {}) {
    this.configuration = configuration;
  }

  async publish(
    topic: string,
    message: { readonly json: object } | { readonly binary: Uint8Array },
  ): Promise<void> {
    const sent: LocalMessage = "binary" in message ? message : { json: structuredJson(message.json) };
    await Promise.resolve();
    if (!this.deliver(topic, sent)) return;
    for (const subscriber of this.#subscribers)
      if (matches(subscriber.filter, topic)) subscriber.receive(topic, sent);
  }

  subscribe(filter: string, receive: (topic: string, message: LocalMessage) => void): Promise<Subscription> {
    return remember(this.#subscribers, { filter, receive });
  }

  publishToIotCore(topic: string, _qos: 0 | 1, payload: Uint8Array): Promise<void> {
    this.toIotCore.push({ topic, payload });
    return Promise.resolve();
  }

  subscribeToIotCore(): Promise<Subscription> {
    return Promise.resolve({ close: () => Promise.resolve() });
  }

  getConfiguration(keyPath: readonly string[]): Promise<JsonValue> {
    let at: JsonValue = this.configuration;
    for (const key of keyPath)
      at = typeof at === "object" && at !== null && !Array.isArray(at) ? (at[key] ?? null) : null;
    return Promise.resolve(at);
  }

  updateConfiguration(_keyPath: readonly string[], value: JsonObject): Promise<void> {
    this.configuration = { ...this.configuration, ...value };
    for (const changed of this.#configurationSubscribers) changed(Object.keys(value).slice(0, 1));
    return Promise.resolve();
  }

  subscribeToConfigurationUpdate(
    _keyPath: readonly string[],
    changed: (keyPath: readonly string[]) => void,
  ): Promise<Subscription> {
    return remember(this.#configurationSubscribers, changed);
  }

  subscribeToValidateConfigurationUpdates(
    validate: (configuration: JsonObject) => ValidationAnswer | Promise<ValidationAnswer>,
  ): Promise<Subscription> {
    return remember(this.#validators, validate);
  }

  subscribeToComponentUpdates(handlers: {
    before: () => number | Promise<number>;
    after: () => void;
  }): Promise<Subscription> {
    return remember(this.#updates, handlers);
  }

  /** Asks the component as a deployment would. */
  async validate(configuration: JsonObject): Promise<ValidationAnswer[]> {
    return Promise.all([...this.#validators].map(async (validate) => validate(configuration)));
  }

  /** Asks the component for how long an update should wait, in milliseconds. */
  async beforeUpdate(): Promise<number[]> {
    return Promise.all([...this.#updates].map(async ({ before }) => before()));
  }

  updateState(): Promise<void> {
    return Promise.resolve();
  }
  getSecretValue(): Promise<never> {
    return Promise.reject(new Error("no secrets here"));
  }
  getThingShadow(): Promise<never> {
    return Promise.reject(new Error("no shadows here"));
  }
  updateThingShadow(): Promise<never> {
    return Promise.reject(new Error("no shadows here"));
  }
}

/** What a receiver gets after a trip through JSON: nobody shares an object with the sender. */
function structuredJson(json: object): JsonObject {
  const copy: JsonObject = JSON.parse(JSON.stringify(json));
  return copy;
}

function remember<Entry>(set: Set<Entry>, entry: Entry): Promise<Subscription> {
  set.add(entry);
  return Promise.resolve({
    close: () => {
      set.delete(entry);
      return Promise.resolve();
    },
  });
}

function matches(filter: string, topic: string): boolean {
  const levels = topic.split("/");
  const wanted = filter.split("/");
  return (
    wanted.length === levels.length &&
    wanted.every((level, index) => level === "+" || level === levels[index])
  );
}

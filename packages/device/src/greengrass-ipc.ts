import {
  createClient,
  createDefaultClientConfig,
  model,
} from "aws-iot-device-sdk-v2/dist/greengrasscoreipc.js";
import type { StreamingOperation } from "aws-iot-device-sdk-v2/dist/eventstream_rpc.js";
import { deferral, sendAnswer, validationAnswer, type IpcContext } from "@coalmine/ipc/answers";
import { configurationValue } from "@coalmine/ipc/configuration-value";
import { IpcRefusal } from "@coalmine/ipc/ipc-error";
import type { OperationName } from "@coalmine/ipc/operations";
import type { Clock, Ipc, JsonValue, OutgoingMessage, Subscription } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import * as read from "./greengrass-events.ts";
import { asRefusal } from "./greengrass-errors.ts";

export interface GreengrassIpcOptions extends IpcContext {
  readonly clock: Clock;
  /** The nucleus' socket; from its environment where not given. */
  readonly socketPath?: string | undefined;
  /** The component's token (`SVCUID`); from the environment where not given. */
  readonly authToken?: string | undefined;
}

/** The `Ipc` of a component process; closing it ends every subscription. */
export interface GreengrassIpc extends Ipc {
  close(): Promise<void>;
}

/** Longer than the nucleus itself waits for anything it asks the cloud. */
const ANSWER_MS_MAX = 60_000;
const CONNECT_MS_MAX = 20_000;

/**
 * Connects to the nucleus with the official client. There is no reconnecting: where the connection breaks, the process
 * fails and the nucleus starts it again with a fresh token and a fresh state, the one way that is rehearsed anyway. The
 * same holds for a subscription that ends though nobody closed it.
 */
export async function connectGreengrassIpc(options: GreengrassIpcOptions): Promise<GreengrassIpc> {
  const { clock, log, process: owner } = options;
  const config = createDefaultClientConfig();
  const { socketPath = config.hostName, authToken } = options;
  if (socketPath === "")
    throw new IpcRefusal(
      "Disconnected",
      "cannot connect to Greengrass: AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT is not set; run this as a Greengrass component",
    );
  const client = createClient({
    ...config,
    hostName: socketPath,
    ...(authToken === undefined
      ? {}
      : {
          connectTransform: async ({ message }) => ({ ...message, payload: JSON.stringify({ authToken }) }),
        }),
  });
  let isOpen = true;
  const waiting = new Set<(gone: IpcRefusal) => void>();

  /** The client's own promise may stay open for ever where the connection breaks in between. */
  function bounded<Result>(what: string, limitMs: number, answer: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const timer = clock.timer(limitMs, () =>
        reject(new IpcRefusal("ServiceError", `${what}: no answer within ${limitMs} ms`)),
      );
      waiting.add(reject);
      answer
        .then(resolve, (thrown: unknown) => reject(asRefusal(what, thrown, isOpen)))
        .finally(() => {
          timer.cancel();
          waiting.delete(reject);
        });
    });
  }

  const call = <Result>(operation: OperationName, ask: () => Promise<Result>): Promise<Result> =>
    bounded(operation, ANSWER_MS_MAX, ask());

  async function subscribe<Request, Response, Event>(
    name: OperationName,
    open: () => StreamingOperation<Request, Response, void, Event>,
    receive: (event: Event) => void,
  ): Promise<Subscription> {
    let state: "opening" | "open" | "closed" = "opening";
    let endedEarly: string | undefined;
    const ended = (why: string): void => {
      if (state === "opening") endedEarly ??= why;
      if (state !== "open" || !isOpen) return;
      state = "closed";
      owner.fail(`the device ended ${name}: ${why}`);
    };
    let operation: ReturnType<typeof open>;
    try {
      operation = open();
    } catch (thrown) {
      throw asRefusal(name, thrown, isOpen);
    }
    operation.on("message", (event) => {
      if (state !== "closed") receive(event);
    });
    operation.on("ended", () => ended("no event follows"));
    // The client reads the empty last message of a stream as an event as well, and finds it unreadable.
    operation.on("streamError", (error) => ended(messageOf(error)));
    const close = async (): Promise<void> => {
      state = "closed";
      await operation.close();
    };
    try {
      await bounded(name, ANSWER_MS_MAX, operation.activate());
    } catch (refused) {
      await close();
      throw refused;
    }
    state = "open";
    if (endedEarly !== undefined) ended(endedEarly);
    return { close };
  }

  async function getConfiguration(keyPath: readonly string[], componentName?: string): Promise<JsonValue> {
    const request = { keyPath: [...keyPath], ...(componentName === undefined ? {} : { componentName }) };
    return read.configuration(await call("GetConfiguration", () => client.getConfiguration(request)));
  }

  await bounded("connecting", CONNECT_MS_MAX, client.connect()).catch(async (cause: unknown) => {
    isOpen = false;
    await client.close();
    // A token that is not accepted shows as a closed connection only.
    throw new IpcRefusal(
      "Disconnected",
      `cannot connect to Greengrass on ${socketPath}: ${messageOf(cause)}; check that the nucleus runs and that SVCUID is the token it gave to this process`,
      { cause },
    );
  });
  client.on("disconnection", (event) => {
    if (!isOpen) return;
    isOpen = false;
    const reason = `the connection to Greengrass is gone: ${messageOf(event?.reason)}`;
    for (const reject of waiting) reject(new IpcRefusal("Disconnected", reason));
    owner.fail(reason);
  });

  return {
    close: async () => {
      isOpen = false;
      await client.close();
    },
    publish: async (topic, message) => {
      const request = { topic, publishMessage: publishMessage(message) };
      await call("PublishToTopic", () => client.publishToTopic(request));
    },
    subscribe: (topic, receive, how) => {
      const receiveMode = how?.receiveMode;
      const mode = receiveMode === undefined ? {} : { receiveMode: model.ReceiveMode[receiveMode] };
      return subscribe(
        "SubscribeToTopic",
        () => client.subscribeToTopic({ topic, ...mode }),
        (event) => receive(...read.localMessage(event)),
      );
    },
    publishToIotCore: async (topicName, qos, payload) => {
      const request = { topicName, qos: qosOf(qos), payload };
      await call("PublishToIoTCore", () => client.publishToIoTCore(request));
    },
    subscribeToIotCore: (topicName, qos, receive) =>
      subscribe(
        "SubscribeToIoTCore",
        () => client.subscribeToIoTCore({ topicName, qos: qosOf(qos) }),
        (event) => receive(read.iotCoreMessage(event)),
      ),
    getConfiguration: (keyPath, componentName) =>
      configurationValue(keyPath, (path) => getConfiguration(path, componentName)),
    updateConfiguration: async (keyPath, valueToMerge) => {
      const request = { keyPath: [...keyPath], timestamp: new Date(clock.now()), valueToMerge };
      await call("UpdateConfiguration", () => client.updateConfiguration(request));
    },
    subscribeToConfigurationUpdate: (keyPath, changed) =>
      subscribe(
        "SubscribeToConfigurationUpdate",
        () => client.subscribeToConfigurationUpdate({ keyPath: [...keyPath] }),
        (event) => changed(event.configurationUpdateEvent?.keyPath ?? []),
      ),
    subscribeToValidateConfigurationUpdates: (validate) =>
      subscribe(
        "SubscribeToValidateConfigurationUpdates",
        () => client.subscribeToValidateConfigurationUpdates({}),
        (event) => {
          const { configuration, deploymentId } = read.validation(event);
          void sendAnswer("SendConfigurationValidityReport", log, async () => {
            const answer = await validationAnswer(() => validate(configuration), log);
            const status = model.ConfigurationValidityStatus[answer.status];
            const configurationValidityReport = { ...answer, status, deploymentId };
            await call("SendConfigurationValidityReport", () =>
              client.sendConfigurationValidityReport({ configurationValidityReport }),
            );
          });
        },
      ),
    subscribeToComponentUpdates: ({ before, after }) =>
      subscribe(
        "SubscribeToComponentUpdates",
        () => client.subscribeToComponentUpdates({}),
        (event) => {
          if (event.postUpdateEvent !== undefined) after();
          const deploymentId = event.preUpdateEvent?.deploymentId;
          if (deploymentId === undefined) return;
          void sendAnswer("DeferComponentUpdate", log, async () => {
            const recheckAfterMs = await deferral(before, log);
            await call("DeferComponentUpdate", () =>
              client.deferComponentUpdate({ deploymentId, recheckAfterMs }),
            );
          });
        },
      ),
    updateState: async (state) => {
      await call("UpdateState", () => client.updateState({ state: model.ReportedLifecycleState[state] }));
    },
    getSecretValue: async (secretId) =>
      read.secret(await call("GetSecretValue", () => client.getSecretValue({ secretId }))),
    getThingShadow: async (thingName, shadowName) =>
      read.shadow(await call("GetThingShadow", () => client.getThingShadow({ thingName, shadowName }))),
    updateThingShadow: async (thingName, shadowName, payload) => {
      const request = { thingName, shadowName, payload };
      return read.shadow(await call("UpdateThingShadow", () => client.updateThingShadow(request)));
    },
  };
}

function publishMessage(message: OutgoingMessage): model.PublishMessage {
  if ("binary" in message) return { binaryMessage: { message: message.binary } };
  return { jsonMessage: { message: message.json } };
}

function qosOf(qos: 0 | 1): model.QOS {
  return qos === 0 ? model.QOS.AT_MOST_ONCE : model.QOS.AT_LEAST_ONCE;
}

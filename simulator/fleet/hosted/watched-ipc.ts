import type { Ipc } from "@coalmine/ports";
import * as z from "zod";

/** What a component did on its way out that somebody keeps an eye on. */
export interface Conduct {
  /** Of a device's component: `local` publish/subscribe, or to IoT Core. */
  published(where: "local" | "cloud", topic: string): void;
  /** It asked for what it may not do. */
  refused(what: string): void;
}

const Unauthorized = z.object({ code: z.literal("UnauthorizedError"), message: z.string() });

/** The same IPC, with somebody who sees what is published and what is refused. */
export function watchedIpc(ipc: Ipc, conduct: Conduct): Ipc {
  const refused = (failure: unknown): never => {
    const read = Unauthorized.safeParse(failure);
    if (read.success) conduct.refused(read.data.message);
    throw failure;
  };
  const seen = <Answer>(asked: Promise<Answer>): Promise<Answer> => asked.catch(refused);
  return {
    publish: (topic, message) => {
      conduct.published("local", topic);
      return seen(ipc.publish(topic, message));
    },
    publishToIotCore: (topic, qos, payload) => {
      conduct.published("cloud", topic);
      return seen(ipc.publishToIotCore(topic, qos, payload));
    },
    subscribe: (filter, receive, options) => seen(ipc.subscribe(filter, receive, options)),
    subscribeToIotCore: (filter, qos, receive) => seen(ipc.subscribeToIotCore(filter, qos, receive)),
    getConfiguration: (keyPath, componentName) => seen(ipc.getConfiguration(keyPath, componentName)),
    updateConfiguration: (keyPath, value) => seen(ipc.updateConfiguration(keyPath, value)),
    subscribeToConfigurationUpdate: (keyPath, changed) =>
      seen(ipc.subscribeToConfigurationUpdate(keyPath, changed)),
    subscribeToValidateConfigurationUpdates: (validate) =>
      seen(ipc.subscribeToValidateConfigurationUpdates(validate)),
    subscribeToComponentUpdates: (handlers) => seen(ipc.subscribeToComponentUpdates(handlers)),
    updateState: (state) => seen(ipc.updateState(state)),
    getSecretValue: (secretId) => seen(ipc.getSecretValue(secretId)),
    getThingShadow: (thing, shadow) => seen(ipc.getThingShadow(thing, shadow)),
    updateThingShadow: (thing, shadow, payload) => seen(ipc.updateThingShadow(thing, shadow, payload)),
  };
}

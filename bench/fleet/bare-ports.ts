import { memoryFiles } from "@coalmine/durable-log/memory-files";
import { nodeCrypto } from "@coalmine/device/crypto";
import { copyJson } from "@coalmine/ipc";
import type { Ipc, JsonObject, JsonValue, LocalMessage, Models, Ports } from "@coalmine/ports";
import { type DrivenClock, jsonLog, type SeededRandom, silentLog } from "@coalmine/runtime";
import { ConfigurationTree } from "../../simulator/core-device/configuration/tree.ts";
import { MemoryDisk } from "../../simulator/core-device/hosted/memory-disk.ts";
import { AccessControl } from "../../simulator/core-device/ipc/access-control.ts";
import type { HostedLinks } from "../../simulator/instruments/hosted-links.ts";
import { hostedFolder } from "../../simulator/fleet/hosted/log-folder.ts";
import type { LeastCloud } from "./least-cloud.ts";

export const ROOT = "/greengrass";

/** What left a device, or was made durable for it. */
export interface Left {
  heartbeats: number;
  lines: number;
  objects: number;
}

interface Subscriber {
  readonly filter: string;
  readonly receive: (topic: string, message: LocalMessage) => void;
}

export interface BareDevice {
  readonly thingName: string;
  readonly clock: DrivenClock;
  readonly random: SeededRandom;
  readonly links: HostedLinks;
  readonly models: Models;
  readonly left: Left;
  /**
   * Where what leaves the device is read; nowhere otherwise. Without it messages are handed over as they are, and nobody asks
   * whether they may be.
   */
  readonly cloud: LeastCloud | undefined;
}

/**
 * Ports that do what a component needs to go on, and no more: no core device, no broker, no cloud; requests are granted at
 * once, and nothing is encrypted or counted against a quota.
 */
export class BarePorts {
  readonly #device: BareDevice;
  readonly #disk: MemoryDisk;
  readonly #subscribers = new Set<Subscriber>();
  readonly #encoder = new TextEncoder();
  readonly #tree = new ConfigurationTree();
  readonly #access = new AccessControl(this.#tree, silentLog);

  constructor(device: BareDevice) {
    this.#device = device;
    this.#disk = new MemoryDisk(device.clock);
  }

  write(component: string, line: string): void {
    this.#disk.append(`logs/${component}.log`, this.#encoder.encode(`${line}\n`));
  }

  of(component: string, version: string, configuration: JsonObject): Ports {
    const { thingName, clock, random, links, models, left, cloud } = this.#device;
    this.#tree.set(["services", component, "configuration"], configuration, clock.now());
    const work = memoryFiles({
      now: () => clock.now(),
      foreign: (path) => hostedFolder(this.#disk, path.slice(ROOT.length + 1)),
    });
    return {
      clock,
      random: random.fork(component),
      ipc: this.#ipc(component, configuration),
      links,
      files: work,
      model: models,
      objects: {
        put: async ({ body }) => {
          left.objects++;
          await cloud?.take(body);
          return { etag: "" };
        },
      },
      streams: { put: async (_, records) => records.map(() => ({})) },
      cloudLogs: {
        createLogGroup: async () => undefined,
        putRetentionPolicy: async () => undefined,
        createLogStream: async () => undefined,
        putLogEvents: async (_group, _stream, events) => {
          left.lines += events.length;
          if (cloud !== undefined) for (const { message } of events) cloud.search(message);
          return { serverTimeMs: clock.now() };
        },
      },
      crypto: nodeCrypto,
      log: jsonLog(component, clock, (line) => this.write(component, line)),
      process: {
        componentName: component,
        componentVersion: version,
        thingName,
        region: "eu-central-1",
        environment: (name) => (name === "COALMINE_GREENGRASS_ROOT" ? ROOT : undefined),
        memoryBytes: () => 0,
        fail: (reason) => {
          throw new Error(`${component} fails: ${reason}`);
        },
      },
    };
  }

  #ask(component: string, service: "pubsub" | "mqttproxy", operation: string, topic: string): void {
    if (this.#device.cloud === undefined) return;
    const lookup = service === "pubsub" ? "STANDARD" : "MQTT_STYLE";
    if (!this.#access.isAllowed(component, `aws.greengrass.ipc.${service}`, operation, topic, lookup))
      throw new Error(`${component} may not ${operation} on ${topic}`);
  }

  #ipc(component: string, configuration: JsonObject): Ipc {
    const none = { close: async () => undefined };
    const refused = async (): Promise<never> => {
      throw new Error("there is no such thing here");
    };
    return {
      publish: async (topic, message) => {
        this.#ask(component, "pubsub", "PublishToTopic", topic);
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- whoever publishes here sends what JSON can carry.
        const sent = message as LocalMessage;
        const { cloud } = this.#device;
        await Promise.resolve();
        for (const { filter, receive } of this.#subscribers)
          if (filter === topic || (filter.endsWith("/+") && topic.startsWith(filter.slice(0, -1))))
            receive(topic, cloud !== undefined && "json" in sent ? { json: copyJson(sent.json) } : sent);
      },
      subscribe: async (filter, receive) => {
        this.#subscribers.add({ filter, receive });
        return none;
      },
      publishToIotCore: async (topic, _, payload) => {
        this.#ask(component, "mqttproxy", "PublishToIoTCore", topic);
        this.#device.left.heartbeats++;
        this.#device.cloud?.hear(topic, payload);
      },
      subscribeToIotCore: async () => none,
      getConfiguration: async (keyPath) => keyPath.reduce<JsonValue>(memberOf, configuration),
      updateConfiguration: async () => undefined,
      subscribeToConfigurationUpdate: async () => none,
      subscribeToValidateConfigurationUpdates: async () => none,
      subscribeToComponentUpdates: async () => none,
      updateState: async () => undefined,
      getSecretValue: refused,
      getThingShadow: refused,
      updateThingShadow: refused,
    };
  }
}

function memberOf(value: JsonValue, key: string): JsonValue {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value[key] ?? null) : null;
}

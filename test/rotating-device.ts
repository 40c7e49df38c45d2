import { componentNames } from "@coalmine/contract";
import { certificateAnswerTopic, certificateTopic } from "@coalmine/contract/commissioning";
import { ipcPort } from "@coalmine/ipc";
import { SeededRandom, silentLog } from "@coalmine/runtime";
import type { IotConnection, IotConnector, IotIdentity } from "../commissioning/iot-connection.ts";
import { placesOf } from "../commissioning/places.ts";
import { CommissioningRefused } from "../commissioning/refusal.ts";
import { idOf, type RotationParts } from "../commissioning/rotate/rotate.ts";
import { linkPair } from "../simulator/cloud/broker/link-pair.ts";
import { HostedMqttLink } from "../simulator/core-device/hosted/mqtt-link.ts";
import type { DrivenRegion } from "../simulator/fleet/driven/region.ts";
import type { HostedDevice } from "../simulator/fleet/hosted/hosted-device.ts";

/** How long a nucleus takes to be there again. */
const START_MS = 2000;
/** Longer than it takes to connect when the line is well. */
const CONNECT_MS = 60_000;
const LOOK_MS = 200;

/** Whoever asks by a device's own session is a component with this right, which a deployment gives it. */
export const asking = {
  component: componentNames.nodeRuntime,
  merge: {
    accessControl: {
      "aws.greengrass.ipc.mqttproxy": {
        "certificate-rotation": {
          policyDescription: "Asks for the next certificate.",
          operations: ["aws.greengrass#PublishToIoTCore", "aws.greengrass#SubscribeToIoTCore"],
          resources: [certificateTopic("+"), certificateAnswerTopic("+")],
        },
      },
    },
  },
};

/** A hosted device with what the device's program for its certificate needs, files in memory among it. */
export function rotatingDevice(
  region: DrivenRegion,
  device: HostedDevice,
  first: { readonly certificatePem: string; readonly privateKeyPem: string },
  way: "stands still" | "goes on sending",
): RotationParts {
  const places = placesOf({ root: "/greengrass/v2" });
  const files = new Map([
    [places.certificate, first.certificatePem],
    [places.privateKey, first.privateKeyPem],
  ]);
  const core = {
    stop: () => device.cutPower(),
    start: async () => {
      device.useCertificate(idOf(files.get(places.certificate) ?? ""));
      await region.clock.sleep(START_MS);
      await device.start();
    },
  };
  const onward = { stop: () => Promise.resolve(), start: () => Promise.resolve() };
  return {
    thing: device.thingName,
    places,
    clock: device.clock,
    files: {
      read: async (path) => files.get(path),
      write: async (path, content) => void files.set(path, content.toString()),
      erase: async (path) => void files.delete(path),
    },
    iot: way === "stands still" ? ownLine(region, device) : byItsSession(region, device),
    core: way === "stands still" ? core : onward,
  };
}

/** A line of its own, as the program has on a real device, while the core device stands still. */
export function ownLine({ cloud, clock }: DrivenRegion, { thingName, network }: HostedDevice): IotConnector {
  return {
    connect: (identity) => {
      const certificateId = idOf(identity.certificatePem);
      const link = new HostedMqttLink({
        clientId: identity.clientId,
        clock,
        random: new SeededRandom(certificateId),
        open: () =>
          network.connect(linkPair, (far) =>
            cloud.iot.broker.accept(far, { certificateId, thingName, kind: "in-process" }),
          ),
      });
      const heard = new Map<string, (payload: string) => void>();
      return new Promise<IotConnection>((resolve, reject) => {
        link.start({
          connected: () =>
            resolve({
              subscribe: (topic, hear) => {
                heard.set(topic, hear);
                return link.subscribe(topic, 1);
              },
              publish: (topic, payload) => link.publish(topic, Buffer.from(payload), 1),
              close: () => link.stop(),
            }),
          disconnected: (why) => {
            void link.stop();
            const reason = why.startsWith("refused: ") ? "claim-refused" : "unreachable";
            reject(new CommissioningRefused(reason, `${identity.clientId}: ${why}`));
          },
          message: (topic, payload) => heard.get(topic)?.(Buffer.from(payload).toString("utf8")),
        });
      });
    },
  };
}

/** By the session over which everything else of the device goes, which begins anew where the certificate is another. */
function byItsSession({ cloud, clock }: DrivenRegion, device: HostedDevice): IotConnector {
  const connected = async (identity: IotIdentity): Promise<void> => {
    const certificateId = idOf(identity.certificatePem);
    if (certificateId !== device.certificateId) {
      device.useCertificate(certificateId);
      cloud.iot.broker.disconnect(device.thingName);
    }
    const deadline = clock.now() + CONNECT_MS;
    do await clock.sleep(LOOK_MS);
    while (!device.core.isConnected && clock.now() < deadline);
    if (!device.core.isConnected)
      throw new CommissioningRefused("unreachable", `${device.thingName} does not connect`);
  };
  return {
    connect: async (identity) => {
      await connected(identity);
      const ipc = ipcPort(device.core.service, asking.component, {
        clock: device.clock,
        log: silentLog,
        process: { fail: () => undefined },
      });
      const open: { close(): Promise<void> | void }[] = [];
      return {
        subscribe: async (topic, hear) =>
          void open.push(
            await ipc.subscribeToIotCore(topic, 1, ({ payload }) =>
              hear(Buffer.from(payload).toString("utf8")),
            ),
          ),
        publish: (topic, payload) => ipc.publishToIotCore(topic, 1, Buffer.from(payload)),
        close: async () => {
          for (const one of open) await one.close();
        },
      };
    },
  };
}

import { SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { linkPair } from "../../cloud/broker/link-pair.ts";
import { iotRig } from "../../cloud/iot/iot-rig.ts";
import type { MessageFields } from "../ports.ts";
import { HostedMqttLink } from "./mqtt-link.ts";

test("every field of a message comes back from the broker as it went, over the hosted link [core-device-8.35]", async () => {
  const rig = await iotRig();
  const certificateId = await rig.device("core");
  const { clock } = rig;
  const link = new HostedMqttLink({
    clientId: "core",
    clock,
    random: new SeededRandom("fields"),
    open: async () => {
      const [near, far] = linkPair();
      rig.parts.broker.accept(far, { certificateId, thingName: "core", kind: "in-process" });
      return near;
    },
  });
  const heard: MessageFields[] = [];
  link.start({
    connected: () => void link.subscribe("up", 1),
    disconnected: () => undefined,
    message: (_topic, _payload, fields) => heard.push(fields),
  });
  await clock.runUntil(clock.now() + 1000);
  const fields: MessageFields = {
    retain: false,
    payloadFormat: "1",
    userProperties: [
      { key: "a", value: "1" },
      { key: "a", value: "2" },
      { key: "b", value: "" },
    ],
    messageExpiryIntervalSeconds: 600,
    correlationData: "AP8=",
    responseTopic: "down",
    contentType: "application/json",
  };
  await link.publish("up", new Uint8Array(1), 1, fields);
  await link.publish("up", new Uint8Array(1), 1);
  await clock.runUntil(clock.now() + 1000);
  expect(heard).toEqual([fields, { retain: false, payloadFormat: "0" }]);
  await link.stop();
});

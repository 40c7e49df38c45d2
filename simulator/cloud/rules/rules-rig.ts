import { CreateTopicRuleCommand, IoTClient, type Action, type TopicRulePayload } from "@aws-sdk/client-iot";
import { IoTDataPlaneClient, PublishCommand } from "@aws-sdk/client-iot-data-plane";
import { DrivenClock } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { afterEach, beforeEach } from "vitest";
import { BareClient } from "../broker/client.ts";
import { linkPair } from "../broker/link-pair.ts";
import { everything } from "../iot/iot-rig.ts";
import { startTestCloud, type TestCloud } from "../protocol/test-cloud.ts";
import { memoryStore } from "../store/memory-store.ts";
import type { Store } from "../store/store.ts";

/** What a test finds of its cloud: its clients, its functions, its clock. */
export const roleArn = "arn:aws:iam::123456789012:role/rules";
export const START = Date.UTC(2026, 10, 23, 8);
export const called: unknown[] = [];
export let cloud: TestCloud;
export let clock: DrivenClock;
export let iot: IoTClient;
export let data: IoTDataPlaneClient;
let closing: { destroy(): void }[];

let store: Store;

/** Called by each test file: a module that several share is run once. */
export function aCloudForEachTest(): void {
  beforeEach(async () => {
    clock = new DrivenClock(START, () => new Promise((done) => setImmediate(done)));
    called.length = 0;
    closing = [];
    store = memoryStore();
    await open();
  });
  afterEach(async () => {
    for (const one of closing) one.destroy();
    await cloud.close();
  });
}

/** Another process on the same state. */
export async function restart(): Promise<void> {
  await cloud.close();
  await open();
}

async function open(): Promise<void> {
  cloud = await startTestCloud({
    clock,
    wallClock: systemClock,
    store,
    functions: {
      hear: (event) => called.push(event),
      fail: () => {
        throw new Error("no such viscosity");
      },
    },
  });
  iot = client(IoTClient);
  data = client(IoTDataPlaneClient);
}

export function client<Client extends { destroy(): void }>(
  Kind: new (options: TestCloud["client"] & { requestHandler: NodeHttpHandler }) => Client,
): Client {
  const made = new Kind({ ...cloud.client, requestHandler: new NodeHttpHandler() });
  closing.push(made);
  return made;
}
export const rule = (
  ruleName: string,
  sql: string,
  actions: Action[],
  more: Partial<TopicRulePayload> = {},
) =>
  iot.send(
    new CreateTopicRuleCommand({
      ruleName,
      topicRulePayload: { sql, actions, awsIotSqlVersion: "2016-03-23", ...more },
    }),
  );
export const publish = (topic: string, payload: unknown, qos = 1) =>
  data.send(
    new PublishCommand({
      topic,
      qos,
      payload: Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload)),
    }),
  );
export const hear = (name = "hear"): Action => ({
  lambda: { functionArn: `arn:aws:lambda:us-east-1:123456789012:function:${name}` },
});
export async function device(thingName: string): Promise<BareClient> {
  const parts = cloud.cloud.iot;
  parts.iot.things.createThing(thingName);
  const { certificateId } = parts.iot.certificates.registerInProcess(thingName);
  parts.iot.things.principals.add(thingName, certificateId);
  parts.iot.policies.create(`p-${thingName}`, JSON.stringify(everything));
  parts.iot.policies.attached.add(`p-${thingName}`, `cert/${certificateId}`);
  const [here, there] = linkPair();
  parts.broker.accept(there, { certificateId, thingName, kind: "in-process" });
  const bare = new BareClient(here);
  bare.connect(thingName);
  await clock.settle();
  return bare;
}

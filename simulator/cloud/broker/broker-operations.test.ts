import {
  GetRetainedMessageCommand,
  IoTDataPlaneClient,
  ListRetainedMessagesCommand,
  PublishCommand,
  type PublishCommandInput,
} from "@aws-sdk/client-iot-data-plane";
import { DrivenClock } from "@coalmine/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestCloud, type TestCloud } from "../protocol/test-cloud.ts";

const clock = new DrivenClock(1_800_000_000_000, () => new Promise((done) => setImmediate(done)));
let cloud: TestCloud;
let data: IoTDataPlaneClient;
beforeAll(async () => {
  cloud = await startTestCloud({ clock });
  data = new IoTDataPlaneClient(cloud.client);
});
afterAll(async () => {
  data.destroy();
  await cloud.close();
});

const publish = async (topic: string, text: string, more: Partial<PublishCommandInput> = {}) => {
  await data.send(new PublishCommand({ topic, payload: Buffer.from(text), retain: true, ...more }));
  await clock.settle();
};
const get = (topic: string) => data.send(new GetRetainedMessageCommand({ topic }));

test("what is retained is told with its time, its quality and its user properties, and listed by topic", async () => {
  const userProperties = JSON.stringify([{ unit: "bar" }, { unit: "Pa" }, { site: "north" }]);
  await publish("press/oil", "4.2", { qos: 1, userProperties });
  await publish("press/air", "1");
  const kept = await get("press/oil");
  expect(kept).toMatchObject({ topic: "press/oil", qos: 1, lastModifiedTime: 1_800_000_000_000 });
  expect(Buffer.from(kept.payload ?? []).toString()).toBe("4.2");
  expect(Buffer.from(kept.userProperties ?? []).toString()).toBe(userProperties);
  expect((await get("press/air")).userProperties).toBeUndefined();

  const first = await data.send(new ListRetainedMessagesCommand({ maxResults: 1 }));
  expect(first.retainedTopics).toEqual([
    { topic: "press/air", payloadSize: 1, qos: 0, lastModifiedTime: 1_800_000_000_000 },
  ]);
  const { nextToken } = first;
  const second = await data.send(new ListRetainedMessagesCommand({ maxResults: 1, nextToken }));
  expect(second.retainedTopics).toMatchObject([{ topic: "press/oil", payloadSize: 3 }]);
  expect(second.nextToken).toBeUndefined();
});

test("an empty message removes, another replaces, and one that has expired is not there", async () => {
  const missing = { name: "ResourceNotFoundException" };
  await publish("valve", "open");
  await publish("valve", "shut");
  expect(Buffer.from((await get("valve")).payload ?? []).toString()).toBe("shut");
  await publish("valve", "");
  await expect(get("valve")).rejects.toMatchObject(missing);
  await publish("lamp", "on", { messageExpiry: 60 });
  await clock.runUntil(clock.now() + 59_000);
  expect((await get("lamp")).topic).toBe("lamp");
  await clock.runUntil(clock.now() + 1000);
  await expect(get("lamp")).rejects.toMatchObject(missing);
  await expect(get("never")).rejects.toMatchObject(missing);
});

test("refuses user properties that are no list of texts by name", async () => {
  for (const userProperties of ["{", '{"a":"b"}', '[{"a":1}]'])
    await expect(publish("press", "x", { userProperties })).rejects.toMatchObject({
      name: "InvalidRequestException",
    });
});

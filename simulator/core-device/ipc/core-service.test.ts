import type { JsonObject } from "@coalmine/ports";
import { expect, test } from "vitest";
import { allowed, install, ipcOf } from "../testing/component.ts";
import { deviceUnderTest, groupDocument } from "../testing/device.ts";
import { noStream } from "../testing/no-stream.ts";

const PUBSUB = "aws.greengrass.ipc.pubsub";
const MQTT = "aws.greengrass.ipc.mqttproxy";
const both = allowed(PUBSUB, ["PublishToTopic", "SubscribeToTopic"], ["a/*", "#"]);
const text = (value: string) => new TextEncoder().encode(value);

test("local messages reach subscribers in order, once a stream, by Greengrass's own filter rules [core-device-8.4]", async () => {
  const it = await deviceUnderTest();
  await install(it, { A: both, B: both });
  const [a, b] = [ipcOf(it, "A"), ipcOf(it, "B")];
  const seen: string[] = [];
  const hear = (who: string) => (topic: string) => seen.push(`${who} ${topic}`);
  await a.subscribe("a/+", hear("A others"));
  await a.subscribe("a/b", hear("A all"));
  await b.subscribe("a/#", hear("B rest"));
  const closing = await b.subscribe("a/b/", hear("B slash"));
  await a.publish("a/b", { json: { n: 1 } });
  await closing.close();
  await b.publish("a/b", { binary: text("x") });
  await b.publish("a/b/c", { json: {} });
  await it.clock.settle();
  expect(seen).toEqual(["A all a/b", "B rest a/b", "B slash a/b", "A others a/b", "A all a/b"]);
});

test("what no policy allows is refused, and a policy that a deployment brings counts at once [core-device-8.1]", async () => {
  const it = await deviceUnderTest();
  await install(it, { A: allowed(PUBSUB, ["PublishToTopic"], ["a/b"]) });
  const a = ipcOf(it, "A");
  await a.publish("a/b", { json: {} });
  await expect(a.publish("a/c", { json: {} })).rejects.toMatchObject({
    code: "UnauthorizedError",
    message: expect.stringContaining(
      "Principal A is not authorized to perform aws.greengrass.ipc.pubsub:aws.greengrass#PublishToTopic on resource a/c",
    ),
  });
  await expect(a.subscribe("a/b", () => undefined)).rejects.toMatchObject({ code: "UnauthorizedError" });
  const merge = allowed(PUBSUB, ["PublishToTopic"], ["a/c"]);
  it.cloud.deployJob("more", groupDocument(2, { A: { version: "1.0.0", configurationUpdate: { merge } } }));
  await it.run(5000);
  await a.publish("a/c", { json: {} });
  await expect(a.publish("a/b", { json: {} })).rejects.toMatchObject({ code: "UnauthorizedError" });
});

test("a topic with a wildcard cannot be published to [core-device-8.5]", async () => {
  const it = await deviceUnderTest();
  await install(it, { A: both });
  const publish = (topic: string, publishMessage: JsonObject) =>
    it.device.service.open("A", "PublishToTopic", { topic, publishMessage }, noStream());
  const jsonMessage = { message: {} };
  await expect(publish("a/+", { jsonMessage })).rejects.toMatchObject({ code: "InvalidArgumentsError" });
  await expect(publish("a/*", { jsonMessage })).rejects.toMatchObject({ code: "InvalidArgumentsError" });
  // Whoever may not publish there is not told what is wrong with the topic.
  await expect(publish("b/+", { jsonMessage })).rejects.toMatchObject({ code: "UnauthorizedError" });
  await expect(publish("a/b", {})).rejects.toMatchObject({ code: "InvalidArgumentsError" });
  await expect(publish("a/b", { jsonMessage: { message: 5 } })).rejects.toMatchObject({
    code: "ServiceError",
  });
  expect(await publish("a/nobody", { jsonMessage })).toEqual({});
});

test("wildcards are whole levels, a # before others is one level, and an event names the topic it was published on [core-device-8.38]", async () => {
  const it = await deviceUnderTest();
  await install(it, {
    A: allowed(PUBSUB, ["PublishToTopic", "SubscribeToTopic"], ["*"]),
    B: allowed(PUBSUB, ["PublishToTopic"], ["*"]),
  });
  const heard: [string, unknown][] = [];
  for (const topic of ["a/#", "a/#/c", "#", "a/b#", "a/+/c", "+"])
    expect(
      await it.device.service.open(
        "A",
        "SubscribeToTopic",
        { topic },
        {
          ...noStream(),
          send: (_, event) => heard.push([topic, event]),
        },
      ),
    ).toEqual({});
  const published = async (principal: string, topic: string): Promise<string[]> => {
    heard.length = 0;
    const jsonMessage = { message: { n: 1 }, context: { topic: "mine" } };
    await it.device.service.open(
      principal,
      "PublishToTopic",
      { topic, publishMessage: { jsonMessage } },
      noStream(),
    );
    for (const [, event] of heard)
      expect(event).toEqual({ jsonMessage: { message: { n: 1 }, context: { topic } } });
    return heard.map(([filter]) => filter);
  };
  expect(await published("B", "a")).toEqual(["#", "+"]);
  expect(await published("B", "a/b/c")).toEqual(["a/#", "a/#/c", "#", "a/+/c"]);
  expect(await published("B", "$aws/b")).toEqual(["#"]);
  // Where no wildcard counts as one a component hears itself.
  expect(await published("A", "a/b/c")).toEqual(["a/#/c"]);
});

test("messages to IoT Core wait in the spooler while offline; QoS 0 is refused then [core-device-8.6]", async () => {
  const it = await deviceUnderTest();
  await install(it, { A: allowed(MQTT, ["PublishToIoTCore", "SubscribeToIoTCore"], ["fleet/#"]) });
  const a = ipcOf(it, "A");
  const heard: string[] = [];
  await a.subscribeToIotCore("fleet/+/down", 1, ({ topic }) => heard.push(topic));
  it.cloud.disconnect();
  await a.publishToIotCore("fleet/T/up", 1, text('{"n":1}'));
  await expect(a.publishToIotCore("fleet/T/up", 0, text("{}"))).rejects.toMatchObject({
    code: "ServiceError",
  });
  await expect(a.publishToIotCore("elsewhere", 1, text("{}"))).rejects.toMatchObject({
    code: "UnauthorizedError",
  });
  it.cloud.connect(false);
  await it.run(1000);
  expect(it.cloud.published.filter(({ topic }) => topic === "fleet/T/up")).toEqual([
    { topic: "fleet/T/up", payload: { n: 1 } },
  ]);
  it.cloud.message("fleet/T/down", {});
  await it.clock.settle();
  expect(heard).toEqual(["fleet/T/down"]);
});

test("configuration is read anywhere, written at home, and its subscribers hear where it changed [core-device-8.7]", async () => {
  const it = await deviceUnderTest();
  await install(it, { A: { rate: 1, deep: { x: 1 } }, B: {} });
  const [a, b] = [ipcOf(it, "A"), ipcOf(it, "B")];
  const heard: string[] = [];
  await b.subscribeToConfigurationUpdate([], () => heard.push("B"));
  await a.subscribeToConfigurationUpdate(["deep"], (path) => heard.push(path.join("/")));
  expect(await b.getConfiguration(["deep"], "A")).toEqual({ x: 1 });
  expect(await b.getConfiguration(["rate"], "A")).toBe(1);
  await expect(b.getConfiguration(["nothing"], "A")).rejects.toMatchObject({ code: "ResourceNotFoundError" });
  await a.updateConfiguration(["deep"], { x: 2, y: 3 });
  await a.updateConfiguration([], { rate: 5 });
  expect(await a.getConfiguration([])).toEqual({ rate: 5, deep: { x: 2, y: 3 } });
  expect(heard).toEqual(["deep/x", "deep/y"]);
  await expect(a.updateConfiguration([], { accessControl: {} })).rejects.toMatchObject({
    code: "InvalidArgumentsError",
  });
});

test("a write older than what is there fails its condition [core-device-8.8]", async () => {
  const it = await deviceUnderTest();
  await install(it, { A: {} });
  const open = (timestamp: number) =>
    it.device.service.open(
      "A",
      "UpdateConfiguration",
      { keyPath: [], timestamp, valueToMerge: { rate: timestamp } },
      noStream(),
    );
  await open(it.clock.now() / 1000 + 10);
  await expect(open(it.clock.now() / 1000)).rejects.toMatchObject({
    code: "FailedUpdateConditionCheckError",
  });
});

test("a component says itself that it runs or has failed; what its state does not allow is ignored [core-device-8.9]", async () => {
  const it = await deviceUnderTest();
  it.cloud.addComponent("A", "1.0.0", { Lifecycle: { Startup: { Script: "stay", Timeout: 600 } } });
  it.cloud.deployJob("job", groupDocument(1, { A: { version: "1.0.0" } }));
  await it.run(5000);
  expect(it.stateOf("A")).toBe("STARTING");
  await ipcOf(it, "A").updateState("RUNNING");
  await it.run(10);
  expect(it.stateOf("A")).toBe("RUNNING");
  await ipcOf(it, "A").updateState("RUNNING");
  expect(it.stateOf("A")).toBe("RUNNING");
});

test("components are listed, restarted and stopped by whom the policy names [core-device-8.10]", async () => {
  const it = await deviceUnderTest();
  await install(it, {
    "aws.greengrass.Cli": {},
    A: allowed(
      "aws.greengrass.Cli",
      ["ListComponents", "RestartComponent", "StopComponent", "GetComponentDetails"],
      ["*"],
    ),
    B: {},
  });
  const open = (principal: string, operation: string, request: JsonObject) =>
    it.device.service.open(principal, operation, request, noStream());
  const { components } = await open("A", "ListComponents", {});
  expect(JSON.stringify(components)).toContain('"componentName":"B","version":"1.0.0","state":"RUNNING"');
  await expect(open("B", "ListComponents", {})).rejects.toMatchObject({ code: "UnauthorizedError" });
  await expect(open("A", "GetComponentDetails", { componentName: "none" })).rejects.toMatchObject({
    code: "ResourceNotFoundError",
  });
  expect(await open("A", "RestartComponent", { componentName: "B" })).toEqual({ restartStatus: "SUCCEEDED" });
  await it.run(1000);
  expect(it.launcher.steps().filter((step) => step === "B run").length).toBe(2);
  await open("A", "StopComponent", { componentName: "B" });
  await it.run(1000);
  expect(it.stateOf("B")).toBe("FINISHED");
});

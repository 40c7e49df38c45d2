import type { JsonObject } from "@coalmine/ports";
import { expect, test } from "vitest";
import * as z from "zod";
import { allowed, install } from "../testing/component.ts";
import { deviceUnderTest } from "../testing/device.ts";
import { noStream } from "../testing/no-stream.ts";

const MANAGER = "aws.greengrass.ShadowManager";
const operations = ["GetThingShadow", "UpdateThingShadow", "DeleteThingShadow", "ListNamedShadowsForThing"];

async function device(configuration: JsonObject = {}) {
  const it = await deviceUnderTest();
  await install(it, {
    [MANAGER]: configuration,
    A: {
      accessControl: {
        ...(allowed(MANAGER, operations, ["$aws/things/T/shadow*", "T"])["accessControl"] as JsonObject),
        "aws.greengrass.ipc.pubsub": {
          topics: {
            operations: ["aws.greengrass#PublishToTopic", "aws.greengrass#SubscribeToTopic"],
            resources: ["$aws/things/*"],
          },
        },
      },
    },
    B: {},
  });
  return { ...it, ...calls(it) };
}

function calls(it: Awaited<ReturnType<typeof deviceUnderTest>>) {
  const open = (operation: string, request: JsonObject, principal = "A") =>
    it.device.service.open(principal, operation, request, noStream());
  const read = (answer: JsonObject): JsonObject =>
    JSON.parse(Buffer.from(z.string().parse(answer["payload"]), "base64").toString());
  return {
    open,
    get: async (shadowName?: string) =>
      read(await open("GetThingShadow", { thingName: "T", ...(shadowName && { shadowName }) })),
    update: async (document: JsonObject | string, shadowName?: string) => {
      const text = typeof document === "string" ? document : JSON.stringify(document);
      const payload = Buffer.from(text).toString("base64");
      return read(
        await open("UpdateThingShadow", { thingName: "T", payload, ...(shadowName && { shadowName }) }),
      );
    },
  };
}

test("a shadow is updated, read and deleted on the device, and survives the process [core-device-8.24]", async () => {
  const it = await device();
  const first = await it.update({ state: { desired: { a: 1 }, reported: { a: 2 } }, clientToken: "c" }, "s");
  const seconds = Math.floor(it.clock.now() / 1000);
  expect(first).toEqual({
    state: { desired: { a: 1 }, reported: { a: 2 } },
    metadata: { desired: { a: { timestamp: seconds } }, reported: { a: { timestamp: seconds } } },
    version: 1,
    timestamp: seconds,
    clientToken: "c",
  });
  await it.device.stop();
  const again = await it.restarted();
  await again.run(5000);
  const later = calls(again);
  expect(await later.get("s")).toMatchObject({
    state: { desired: { a: 1 }, reported: { a: 2 }, delta: { a: 1 } },
    version: 1,
  });
  expect(await later.open("DeleteThingShadow", { thingName: "T", shadowName: "s" })).toEqual({ payload: "" });
  await expect(later.get("s")).rejects.toMatchObject({
    code: "ResourceNotFoundError",
    message: "No shadow exists with name: s",
  });
  await expect(later.get()).rejects.toMatchObject({ message: "No shadow exists with name: Unnamed Shadow" });
  expect(await later.update({ state: { reported: {} } }, "s")).toMatchObject({ version: 2 });
});

test.each<[string, JsonObject | string, string, string]>([
  ["nothing", "", "InvalidArgumentsError", "Missing update payload"],
  ["no JSON", "{", "InvalidArgumentsError", "Invalid JSON: the payload must be an object"],
  ["another key", { state: {}, x: 1 }, "InvalidArgumentsError", 'Invalid JSON: "x" is not allowed'],
  ["a state that is no object", { state: 5 }, "InvalidArgumentsError", "State node must be an object"],
  ["a token that is no text", { state: {}, clientToken: 5 }, "InvalidArgumentsError", "Invalid clientToken"],
  [
    "too deep a state",
    { state: { desired: { a: { b: { c: { d: { e: { f: {} } } } } } } } },
    "InvalidArgumentsError",
    "JSON contains too many levels of nesting; maximum is 6",
  ],
  [
    "too large a state",
    { state: { desired: { a: "x".repeat(8190) } } },
    "InvalidArgumentsError",
    "The payload exceeds the maximum size allowed",
  ],
  ["another version", { state: {}, version: 7 }, "ConflictError", "Version conflict"],
])(
  "an update with %s is refused in the shadow manager's words [core-device-8.25]",
  async (_, document, code, message) => {
    const it = await device();
    await it.update({ state: { reported: {} }, version: 1 });
    await expect(it.update(document)).rejects.toMatchObject({ code, message });
  },
);

test("a first version other than 1 is no version, names have their letters, and nobody is let in without a policy [core-device-8.25]", async () => {
  const it = await device();
  await expect(it.update({ state: {}, version: 2 })).rejects.toMatchObject({
    code: "InvalidArgumentsError",
    message: "Invalid version",
  });
  await expect(it.update({ state: {} }, "a/b")).rejects.toMatchObject({ code: "InvalidArgumentsError" });
  await expect(it.open("GetThingShadow", { thingName: "" })).rejects.toMatchObject({
    code: "InvalidArgumentsError",
  });
  await expect(it.open("GetThingShadow", { thingName: "T" }, "B")).rejects.toMatchObject({
    code: "UnauthorizedError",
  });
  await expect(it.open("GetThingShadow", { thingName: "other" })).rejects.toMatchObject({
    code: "UnauthorizedError",
  });
});

test("named shadows are listed page by page, the classic one is not [core-device-8.26]", async () => {
  const it = await device();
  await it.update({ state: { reported: {} } });
  for (const name of ["c", "a", "b"]) await it.update({ state: { reported: {} } }, name);
  const list = (more: JsonObject) => it.open("ListNamedShadowsForThing", { thingName: "T", ...more });
  const first = await list({ pageSize: 2 });
  expect(first).toMatchObject({ results: ["a", "b"], timestamp: it.clock.now() / 1000 });
  const second = await list({ pageSize: 2, nextToken: first["nextToken"] ?? "" });
  expect(second).toEqual({ results: ["c"], timestamp: it.clock.now() / 1000 });
  for (const wrong of [{ pageSize: 0 }, { pageSize: 101 }, { nextToken: "x" }])
    await expect(list(wrong)).rejects.toMatchObject({ code: "InvalidArgumentsError" });
});

test("what happens to a shadow is told on its local topics, and asked for there too [core-device-8.27]", async () => {
  const it = await device();
  const heard: Record<string, JsonObject> = {};
  const stream = {
    ...noStream(),
    send: (_: string, event: JsonObject) => {
      const { message, context } = event["binaryMessage"] as { message: string; context: { topic: string } };
      heard[context.topic.replace("$aws/things/T/shadow/name/s/", "")] = JSON.parse(
        Buffer.from(message, "base64").toString(),
      );
    },
  };
  const topic = "$aws/things/T/shadow/name/s/#";
  await it.device.service.open("A", "SubscribeToTopic", { topic }, stream);
  const ask = async (verb: string, message: JsonObject) => {
    const publishMessage = { jsonMessage: { message } };
    await it.open("PublishToTopic", { topic: `$aws/things/T/shadow/name/s/${verb}`, publishMessage });
    await it.run(10);
  };
  await ask("get", { clientToken: "g" });
  await ask("update", { state: { desired: { a: 1 } }, clientToken: "u" });
  await it.update({ state: { desired: { a: 2 } } }, "s");
  await it.run(10);
  expect(heard).toMatchObject({
    "get/rejected": { code: 404, message: "No shadow exists with name: s", clientToken: "g" },
    "update/accepted": { version: 2 },
    "update/delta": { version: 2, state: { a: 2 } },
    "update/documents": {
      previous: { version: 1, state: { desired: { a: 1 } } },
      current: { version: 2, state: { desired: { a: 2 } } },
    },
  });
  await ask("update", { state: {}, version: 9, clientToken: "v" });
  await ask("delete", {});
  expect(heard).toMatchObject({
    "update/rejected": { code: 409, message: "Version conflict", clientToken: "v" },
    "delete/accepted": { version: 2 },
  });
});

test("more requests for a thing than a second may have are too many [core-device-8.28]", async () => {
  const it = await device();
  for (let n = 0; n < 20; n++) await it.update({ state: { reported: { n } } });
  await expect(it.get()).rejects.toMatchObject({ code: "ServiceError", message: "Too Many Requests" });
  await it.run(1000);
  expect(await it.get()).toMatchObject({ version: 20 });
});

import type { JsonObject } from "@coalmine/ports";
import { expect, test } from "vitest";
import { allowed, install } from "../testing/component.ts";
import { deviceUnderTest } from "../testing/device.ts";
import { noStream } from "../testing/no-stream.ts";

const LIFECYCLE = "aws.greengrass.ipc.lifecycle";

async function device(components: Record<string, JsonObject>) {
  const it = await deviceUnderTest();
  await install(it, components);
  return {
    ...it,
    open: (principal: string, operation: string, request: JsonObject) =>
      it.device.service.open(principal, operation, request, noStream()),
  };
}

test("a running component is paused and goes on, by whom a policy names [core-device-8.16]", async () => {
  const it = await device({
    A: allowed(LIFECYCLE, ["PauseComponent", "ResumeComponent"], ["B", "none", "aws.greengrass.Cli"]),
    B: {},
    "aws.greengrass.Cli": {},
  });
  const pauses = () => it.launcher.launched.find(({ command }) => command.component === "B")?.pauses;
  const pause = (componentName: string) => it.open("A", "PauseComponent", { componentName });
  const resume = (componentName: string) => it.open("A", "ResumeComponent", { componentName });
  await expect(resume("B")).rejects.toMatchObject({ code: "InvalidArgumentsError" });
  expect(await pause("B")).toEqual({});
  expect(pauses()).toEqual(["pause"]);
  expect(await resume("B")).toEqual({});
  expect(pauses()).toEqual(["pause", "resume"]);
  await expect(pause("none")).rejects.toMatchObject({ code: "ResourceNotFoundError" });
  await expect(pause("")).rejects.toMatchObject({ code: "InvalidArgumentsError" });
  await expect(pause("aws.greengrass.Cli")).rejects.toMatchObject({ code: "InvalidArgumentsError" });
  await expect(it.open("B", "PauseComponent", { componentName: "A" })).rejects.toMatchObject({
    code: "UnauthorizedError",
  });
  // What is paused hears that it is to stop.
  await pause("B");
  await it.device.stop();
  expect(pauses()).toEqual(["pause", "resume", "pause", "resume"]);
});

test("only AWS's own components send metrics, with valid names and values [core-device-8.17]", async () => {
  const own = allowed("aws.greengrass.ipc.componentmetric", ["PutComponentMetric"], ["good*"]);
  const it = await device({ A: own, "aws.greengrass.Own": own, "aws.greengrass.StreamManager": {} });
  const put = (principal: string, name = "good", value = 1, unit = "COUNT") =>
    it.open(principal, "PutComponentMetric", { metrics: [{ name, value, unit }] });
  await expect(put("A")).rejects.toMatchObject({ code: "UnauthorizedError" });
  expect(await put("aws.greengrass.Own")).toEqual({});
  await expect(put("aws.greengrass.Own", "other")).rejects.toMatchObject({ code: "UnauthorizedError" });
  expect(await put("aws.greengrass.StreamManager", "other")).toEqual({});
  await expect(put("aws.greengrass.Own", `good${"x".repeat(29)}`)).rejects.toMatchObject({
    code: "InvalidArgumentsError",
  });
  await expect(put("aws.greengrass.Own", "good", -1)).rejects.toMatchObject({
    code: "InvalidArgumentsError",
  });
  await expect(it.open("aws.greengrass.Own", "PutComponentMetric", { metrics: [] })).rejects.toMatchObject({
    code: "InvalidArgumentsError",
  });
});

test("the stream manager alone asks whose a token is [core-device-8.18]", async () => {
  const it = await device({ A: {}, "aws.greengrass.StreamManager": {} });
  const token = it.launcher.launched.at(-1)?.command.environment["SVCUID"] ?? "";
  expect(token).toMatch(/^[A-Z]{16}$/);
  const ask = (principal: string, asked: string) =>
    it.open(principal, "ValidateAuthorizationToken", { token: asked });
  expect(await ask("aws.greengrass.StreamManager", token)).toEqual({ isValid: true });
  await expect(ask("aws.greengrass.StreamManager", "other")).rejects.toMatchObject({
    code: "InvalidTokenError",
  });
  await expect(ask("A", token)).rejects.toMatchObject({ code: "UnauthorizedError" });
});

test("IoT Core's quality of service and payload are looked at before the policy [core-device-8.6]", async () => {
  const it = await device({ A: {} });
  const request = { topicName: "t", qos: "2", payload: "" };
  await expect(it.open("A", "PublishToIoTCore", request)).rejects.toMatchObject({
    code: "InvalidArgumentsError",
  });
  await expect(it.open("A", "PublishToIoTCore", { topicName: "t", qos: "1" })).rejects.toMatchObject({
    code: "InvalidArgumentsError",
  });
  await expect(it.open("A", "PublishToIoTCore", { ...request, qos: "1" })).rejects.toMatchObject({
    code: "UnauthorizedError",
    message: "Not Authorized",
  });
});

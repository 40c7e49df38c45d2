import { expect, test } from "vitest";
import { iotRig } from "../iot/iot-rig.ts";

const T = "$aws/things/core/shadow";

async function device() {
  const rig = await iotRig();
  const certificateId = await rig.device("core");
  const client = await rig.connect("core", certificateId, "core");
  client.subscribe(`${T}/#`);
  await rig.clock.settle();
  const ask = async (topic: string, request: object | string) => {
    client.received.length = 0;
    client.publish(topic, typeof request === "string" ? request : JSON.stringify(request));
    await rig.clock.settle();
    return Object.fromEntries(
      client.messages.map((message) => [
        message.topic.slice(T.length + 1),
        JSON.parse(message.payload.toString()) as Record<string, never>,
      ]),
    );
  };
  return { ...rig, ask, client };
}

test("an update merges, null removes, and delta tells what is desired and not reported", async () => {
  const { ask } = await device();
  const first = await ask(`${T}/update`, {
    state: { desired: { colour: "red", light: { on: true, level: 3 } }, reported: { colour: "blue" } },
    clientToken: "c1",
  });
  expect(first["update/accepted"]).toMatchObject({
    version: 1,
    clientToken: "c1",
    state: { reported: { colour: "blue" } },
  });
  expect(first["update/delta"]).toMatchObject({
    version: 1,
    state: { colour: "red", light: { on: true, level: 3 } },
  });
  expect(first["update/documents"]).toMatchObject({ current: { version: 1 } });
  const second = await ask(`${T}/update`, {
    state: { desired: { colour: null, light: { level: 4 } }, reported: { light: { on: true } } },
  });
  expect(second["update/delta"]).toMatchObject({ version: 2, state: { light: { level: 4 } } });
  expect(second["update/documents"]).toMatchObject({
    previous: { version: 1, state: { desired: { colour: "red" } } },
    current: { version: 2 },
  });
  const got = await ask(`${T}/get`, "");
  expect(got["get/accepted"]).toMatchObject({
    state: {
      desired: { light: { on: true, level: 4 } },
      reported: { colour: "blue", light: { on: true } },
      delta: { light: { level: 4 } },
    },
    metadata: { desired: { light: { level: { timestamp: 1_800_000_000 } } } },
  });
  expect(got["get/accepted"]?.["state"]).not.toHaveProperty("desired.colour");
  const third = await ask(`${T}/update`, { state: { reported: { light: { level: 4 } } } });
  expect(third).not.toHaveProperty("update/delta");
});

test("optimistic locking: another version is a conflict, and extra members as the nucleus sends them are passed over", async () => {
  const { ask } = await device();
  const name = `${T}/name/AWSManagedGreengrassV2Deployment`;
  await ask(`${name}/update`, {
    thingName: "core",
    shadowName: "x",
    state: { reported: { status: "IN_PROGRESS" } },
  });
  const conflict = await ask(`${name}/update`, {
    state: { reported: { status: "SUCCEEDED" } },
    version: 7,
    clientToken: "t",
  });
  expect(conflict["name/AWSManagedGreengrassV2Deployment/update/rejected"]).toMatchObject({
    code: 409,
    clientToken: "t",
  });
  const accepted = await ask(`${name}/update`, { state: { reported: { status: "SUCCEEDED" } }, version: 1 });
  expect(accepted["name/AWSManagedGreengrassV2Deployment/update/accepted"]).toMatchObject({ version: 2 });
});

test("versions go on after deletion and restart", async () => {
  const { ask, restart, call } = await device();
  await ask(`${T}/update`, { state: { desired: { a: 1 } } });
  await ask(`${T}/update`, { state: { desired: { a: 2 } } });
  expect((await ask(`${T}/delete`, ""))["delete/accepted"]).toMatchObject({ version: 2 });
  expect((await ask(`${T}/get`, ""))["get/rejected"]).toMatchObject({ code: 404 });
  restart();
  const { payload } = await call("UpdateThingShadow", {
    thingName: "core",
    payload: Buffer.from(JSON.stringify({ state: { desired: { b: 1 } } })),
  });
  expect(JSON.parse(payload.toString())).toMatchObject({ version: 3 });
  const got = JSON.parse((await call("GetThingShadow", { thingName: "core" })).payload.toString());
  expect(got.state.desired).toEqual({ b: 1 });
});

test("an update by the cloud reaches the device as an accepted update", async () => {
  const { parts, client, clock, told } = await device();
  parts.shadows.updateDesired("core", "AWSManagedGreengrassV2Deployment", {
    fleetConfig: "x".repeat(20_000),
  });
  await clock.settle();
  const [accepted] = client.messages;
  expect(accepted?.topic).toBe(`${T}/name/AWSManagedGreengrassV2Deployment/update/accepted`);
  client.publish(
    `${T}/name/AWSManagedGreengrassV2Deployment/update`,
    JSON.stringify({ state: { reported: { ok: true } } }),
  );
  await clock.settle();
  expect(told.find((event) => event.kind === "shadow-changed" && event.reported !== undefined)).toMatchObject(
    {
      thingName: "core",
      shadowName: "AWSManagedGreengrassV2Deployment",
      reported: { ok: true },
      version: 2,
    },
  );
});

test("named shadows are listed, the classic one is not", async () => {
  const { ask, call } = await device();
  for (const name of ["", "/name/b", "/name/a"])
    await ask(`${T}${name}/update`, { state: { reported: { x: 1 } } });
  expect((await call("ListNamedShadowsForThing", { thingName: "core" })).results).toEqual(["a", "b"]);
  await call("DeleteThingShadow", { thingName: "core", shadowName: "a" });
  expect((await call("ListNamedShadowsForThing", { thingName: "core" })).results).toEqual(["b"]);
  await expect(call("GetThingShadow", { thingName: "core", shadowName: "a" })).rejects.toMatchObject({
    code: "ResourceNotFoundException",
  });
});

test.each([
  ["not JSON", "{", 400],
  ["no state", {}, 400],
  ["a state that is no object", { state: 5 }, 400],
  ["too deep", { state: { desired: { a: { b: { c: { d: { e: { f: { g: 1 } } } } } } } } }, 400],
  ["deep enough to exhaust the stack", `{"state":{"desired":${'{"a":'.repeat(800)}1${"}".repeat(802)}`, 400],
  ["too large", { state: { desired: { a: "x".repeat(9000) } } }, 413],
])("refuses an update that is wrong: %s", async (_name, request, code) => {
  const { ask } = await device();
  expect((await ask(`${T}/update`, request))["update/rejected"]).toMatchObject({ code });
});

test("a key named __proto__ is dropped and changes nothing else", async () => {
  const { ask } = await device();
  await ask(`${T}/update`, '{"state":{"desired":{"__proto__":{"polluted":true},"a":1}}}');
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  expect((await ask(`${T}/get`, ""))["get/accepted"]?.["state"]).toEqual({
    desired: { a: 1 },
    delta: { a: 1 },
  });
});

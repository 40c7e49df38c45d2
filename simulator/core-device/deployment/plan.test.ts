import { expect, test } from "vitest";
import { deviceUnderTest, groupDocument } from "../testing/device.ts";

const Lifecycle = { Run: "stay" };

test("a nucleus that only a dependency asks for is not taken in another minor version [core-device-6.33]", async () => {
  const it = await deviceUnderTest();
  const wants = { "aws.greengrass.Nucleus": { VersionRequirement: ">=2.19.0" } };
  it.cloud.addComponent("A", "1.0.0", { Lifecycle, Dependencies: wants });
  it.cloud.addComponent("aws.greengrass.Nucleus", "2.19.0", { Lifecycle: {} });
  it.cloud.deployJob("job", groupDocument(1, { A: { version: "1.0.0" } }));
  await it.run(5000);
  expect(it.cloud.statusesOf("job").at(-1)?.["statusDetails"]).toMatchObject({
    "deployment-error-stack": '["DEPLOYMENT_FAILURE","UNAUTHORIZED_NUCLEUS_MINOR_VERSION_UPDATE"]',
    "deployment-error-types": '["REQUEST_ERROR"]',
  });
});

test("when a plugin goes or has another version the nucleus starts again, not when one comes or token exchange goes [core-device-6.32]", async () => {
  const it = await deviceUnderTest();
  const [plugin, own] = ["aws.greengrass.ShadowManager", "aws.greengrass.TokenExchangeService"];
  it.cloud.addComponent("A", "1.0.0", { Lifecycle });
  it.cloud.addComponent(own, "2.0.0", { Lifecycle: {} });
  for (const version of ["2.0.0", "2.1.0"]) it.cloud.addComponent(plugin, version, { Lifecycle: {} });
  const restarts: number[] = [];
  for (const [index, more] of [
    { [plugin]: { version: "2.0.0" }, [own]: { version: "2.0.0" } },
    { [plugin]: { version: "2.0.0" } },
    { [plugin]: { version: "2.1.0" } },
    {},
  ].entries()) {
    it.cloud.deployJob(`job-${index}`, groupDocument(index, { A: { version: "1.0.0" }, ...more }));
    await it.run(20_000);
    expect(it.cloud.statusesOf(`job-${index}`).at(-1)?.["status"]).toBe("SUCCEEDED");
    restarts.push(it.events.filter(({ kind }) => kind === "restart").length);
  }
  expect(restarts).toEqual([0, 0, 1, 2]);
  expect([it.versionOf(plugin), it.stateOf("A")]).toEqual([undefined, "RUNNING"]);
});

test("a configuration that the lifecycle names is a part of it: a change restarts the component [core-device-4.26]", async () => {
  const { cloud, ...it } = await deviceUnderTest();
  cloud.addComponent("A", "1.0.0", {
    Lifecycle: { Run: "stay; say {configuration:/rate}" },
    Configuration: { rate: 1, other: 1 },
  });
  for (const [index, merge] of [{}, { other: 2 }, { rate: 2 }].entries()) {
    const update = { version: "1.0.0", configurationUpdate: { merge } };
    cloud.deployJob(`job-${index}`, groupDocument(index, { A: update }));
    await it.run(5000);
  }
  expect(it.launcher.launched.map(({ command }) => command.script)).toEqual(["stay; say 1", "stay; say 2"]);
});

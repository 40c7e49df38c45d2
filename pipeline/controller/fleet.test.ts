import { AddThingToThingGroupCommand, CreateThingCommand } from "@aws-sdk/client-iot";
import { Closing } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterAll, expect, test } from "vitest";
import { operator, startTestCloud } from "../../simulator/cloud/protocol/test-cloud.ts";
import { ensureGroups, fleetOf } from "./fleet.ts";
import { closeRegion, openRegion } from "./region.ts";

process.env["AWS_ACCESS_KEY_ID"] = operator.accessKeyId;
process.env["AWS_SECRET_ACCESS_KEY"] = operator.secretAccessKey;
const closing = new Closing();
afterAll(() => closing.close());
const { cloud, endpoint } = closing.add(await startTestCloud(), (one) => one.close());
const region = closing.add(
  openRegion(
    {
      name: "home",
      region: "us-east-1",
      endpoint,
      artifactBucket: "artifacts",
      lakeBucket: "lake",
      canaryGroup: "canary",
      mainGroup: "main",
    },
    "123456789012",
  ),
  closeRegion,
);

/** A core device that has said what it is. */
async function coreDevice(thingName: string, attributes: Record<string, string>): Promise<void> {
  await region.iot.send(new CreateThingCommand({ thingName, attributePayload: { attributes } }));
  await region.iot.send(new AddThingToThingGroupCommand({ thingName, thingGroupName: "main" }));
  cloud.events.emit({
    kind: "mqtt-message",
    topic: `$aws/things/${thingName}/greengrassv2/health/json`,
    payload: Buffer.from(
      JSON.stringify({
        ggcVersion: "2.15.0",
        platform: "linux",
        architecture: "amd64",
        thing: thingName,
        overallDeviceStatus: "HEALTHY",
        sequenceNumber: 1,
        timestamp: systemClock.now(),
        messageType: "COMPLETE",
        trigger: "NUCLEUS_LAUNCH",
        components: [],
      }),
    ),
    clientId: thingName,
    at: systemClock.now(),
  });
}

test("strata and clusters are the attributes that the policy names, or else the usual ones", async () => {
  await ensureGroups(region, ["main", "canary"]);
  await coreDevice("a", { site: "ward-3", model: "x", region: "north" });
  await coreDevice("b", { model: "y", gateway: "g1", stratum: "lab" });
  await coreDevice("c", { site: "unknown", gateway: "unknown", timezone: "Europe/Berlin" });
  const shape = async (policy: Parameters<typeof fleetOf>[1]) =>
    (await fleetOf(region, policy)).devices.map(({ thing, stratum, cluster }) => [thing, stratum, cluster]);
  expect(await shape({})).toEqual([
    ["a", "linux/amd64", "ward-3"],
    ["b", "lab", "b"],
    ["c", "linux/amd64", "c"],
  ]);
  expect((await fleetOf(region, {})).zones).toEqual({ a: undefined, b: undefined, c: "Europe/Berlin" });
  expect(await shape({ strata: ["model", "region"], cluster: "gateway" })).toEqual([
    ["a", "x/north", "a"],
    ["b", "y/unknown", "g1"],
    ["c", "unknown/unknown", "c"],
  ]);
});

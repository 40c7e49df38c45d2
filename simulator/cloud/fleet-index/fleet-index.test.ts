import {
  AddThingToThingGroupCommand,
  AttachPolicyCommand,
  CreateDynamicThingGroupCommand,
  CreateJobCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  DeleteDynamicThingGroupCommand,
  DeleteThingGroupCommand,
  DescribeIndexCommand,
  DescribeThingGroupCommand,
  GetIndexingConfigurationCommand,
  InvalidQueryException,
  IoTClient,
  ListJobExecutionsForJobCommand,
  ListThingsInThingGroupCommand,
  SearchIndexCommand,
  UpdateDynamicThingGroupCommand,
  UpdateIndexingConfigurationCommand,
  UpdateThingCommand,
  type ThingIndexingConfiguration,
} from "@aws-sdk/client-iot";
import { IoTDataPlaneClient, UpdateThingShadowCommand } from "@aws-sdk/client-iot-data-plane";
import { DrivenClock } from "@coalmine/runtime";
import { afterEach, expect, test } from "vitest";
import { iotArn, recipe } from "../greengrass/test-fleet.ts";
import { BareClient } from "../broker/client.ts";
import { linkPair } from "../broker/link-pair.ts";
import { everything } from "../iot/iot-rig.ts";
import { startTestCloud } from "../protocol/test-cloud.ts";
import { memoryStore } from "../store/memory-store.ts";
import type { Store } from "../store/store.ts";

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

const all: ThingIndexingConfiguration = {
  thingIndexingMode: "REGISTRY_AND_SHADOW",
  thingConnectivityIndexingMode: "STATUS",
  namedShadowIndexingMode: "ON",
  filter: { namedShadowNames: ["oil"] },
};

/** A cloud on a driven clock with three presses, the index as asked, and what a test asks of it. */
async function fleet(indexing: ThingIndexingConfiguration | "as it is" = all, store: Store = memoryStore()) {
  const clock = new DrivenClock(1_800_000_000_000, () => new Promise((done) => setImmediate(done)));
  const test = await startTestCloud({ clock, store });
  const iot = new IoTClient(test.client);
  const data = new IoTDataPlaneClient(test.client);
  open.push({ close: () => test.close() }, { close: () => (iot.destroy(), data.destroy()) });
  if (indexing !== "as it is")
    await iot.send(new UpdateIndexingConfigurationCommand({ thingIndexingConfiguration: indexing }));
  for (const [thingName, site] of [
    ["press-1", "leipzig"],
    ["press-2", "leipzig"],
    ["press-3", "jena"],
  ] as const)
    await iot.send(new CreateThingCommand({ thingName, attributePayload: { attributes: { site } } }));
  return {
    ...test,
    clock,
    iot,
    create: (thingGroupName: string, queryString: string) =>
      iot.send(new CreateDynamicThingGroupCommand({ thingGroupName, queryString })),
    members: async (thingGroupName: string) =>
      (await iot.send(new ListThingsInThingGroupCommand({ thingGroupName }))).things,
    search: async (queryString: string) =>
      (await iot.send(new SearchIndexCommand({ queryString }))).things ?? [],
    report: (thingName: string, reported: object, shadowName?: string) =>
      data.send(
        new UpdateThingShadowCommand({
          thingName,
          shadowName,
          payload: Buffer.from(JSON.stringify({ state: { reported } })),
        }),
      ),
  };
}

test("a dynamic group is described with its query, and changed and deleted by its own operations", async () => {
  const { iot, create, members } = await fleet();
  expect(await create("saxony", "attributes.site:leipzig")).toMatchObject({
    thingGroupArn: `${iotArn}:thinggroup/saxony`,
    indexName: "AWS_Things",
    queryString: "attributes.site:leipzig",
    queryVersion: "2017-09-30",
  });
  expect(await members("saxony")).toEqual(["press-1", "press-2"]);
  const described = await iot.send(new DescribeThingGroupCommand({ thingGroupName: "saxony" }));
  expect(described).toMatchObject({ status: "ACTIVE", queryString: "attributes.site:leipzig", version: 1 });

  const update = {
    thingGroupName: "saxony",
    queryString: "attributes.site:jena",
    thingGroupProperties: {},
  };
  await expect(
    iot.send(new UpdateDynamicThingGroupCommand({ ...update, expectedVersion: 7 })),
  ).rejects.toThrow("The version of thing group saxony is 1, not 7.");
  await iot.send(new UpdateDynamicThingGroupCommand({ ...update, expectedVersion: 1 }));
  expect(await members("saxony")).toEqual(["press-3"]);

  const isDynamic = "Thing group saxony is a dynamic one.";
  const named = { thingGroupName: "saxony" };
  await expect(iot.send(new AddThingToThingGroupCommand({ ...named, thingName: "press-1" }))).rejects.toThrow(
    isDynamic,
  );
  await expect(iot.send(new DeleteThingGroupCommand(named))).rejects.toThrow(isDynamic);
  await expect(
    iot.send(new CreateThingGroupCommand({ thingGroupName: "below", parentGroupName: "saxony" })),
  ).rejects.toThrow(isDynamic);
  await expect(
    iot.send(new AttachPolicyCommand({ policyName: "p", target: `${iotArn}:thinggroup/saxony` })),
  ).rejects.toThrow();
  await iot.send(new DeleteDynamicThingGroupCommand(named));
  await expect(members("saxony")).rejects.toThrow("Thing group saxony does not exist.");
});

test("membership follows attributes, thing types, static groups, shadows and deletion", async () => {
  const { iot, cloud, create, members, report } = await fleet();
  await create("hot", "shadow.reported.temperature>80 OR shadow.name.oil.reported.low:true");
  await create("old", "attributes.age>=10 AND thingTypeName:press AND NOT thingGroupNames:spared");
  await report("press-1", { temperature: 81 });
  await report("press-2", { low: true }, "oil");
  expect(await members("hot")).toEqual(["press-1", "press-2"]);
  await report("press-1", { temperature: 60 });
  expect(await members("hot")).toEqual(["press-2"]);
  await cloud.invoke("iotdata", "DeleteThingShadow", { thingName: "press-2", shadowName: "oil" });
  expect(await members("hot")).toEqual([]);

  await cloud.invoke("iot", "CreateThingType", { thingTypeName: "press" });
  const attributePayload = { attributes: { age: "12" } };
  for (const thingName of ["press-1", "press-2"])
    await iot.send(new UpdateThingCommand({ thingName, thingTypeName: "press", attributePayload }));
  expect(await members("old")).toEqual(["press-1", "press-2"]);
  await iot.send(new CreateThingGroupCommand({ thingGroupName: "spared" }));
  await iot.send(new AddThingToThingGroupCommand({ thingName: "press-1", thingGroupName: "spared" }));
  expect(await members("old")).toEqual(["press-2"]);
  await cloud.invoke("iot", "DeleteThing", { thingName: "press-1" });
  await cloud.invoke("iot", "DeleteThing", { thingName: "press-2" });
  expect(await members("old")).toEqual([]);
});

test("membership follows the connection, and a restart ends it", async () => {
  const store = memoryStore();
  const { iot, cloud, clock, create, members, search } = await fleet(all, store);
  await create("online", "connectivity.connected:true");
  const { certificateId } = cloud.iot.iot.certificates.registerInProcess("press-1");
  cloud.iot.iot.things.principals.add("press-1", certificateId);
  cloud.iot.iot.policies.create("all", JSON.stringify(everything));
  cloud.iot.iot.policies.attached.add("all", `cert/${certificateId}`);
  const connect = async () => {
    const [here, there] = linkPair();
    cloud.iot.broker.accept(there, { certificateId, thingName: "press-1", kind: "in-process" });
    const client = new BareClient(here);
    client.connect("press-1", { clean: true });
    await clock.settle();
    return here;
  };
  const link = await connect();
  expect(await members("online")).toEqual(["press-1"]);
  await link.close();
  await clock.settle();
  expect(await members("online")).toEqual([]);
  const [lost] = await search("connectivity.disconnectReason:* AND connectivity.timestamp>0");
  expect(lost).toMatchObject({
    thingName: "press-1",
    connectivity: { connected: false, timestamp: 1_800_000_000_000 },
  });

  const index = (thingConnectivityIndexingMode: "OFF" | "STATUS") =>
    iot.send(
      new UpdateIndexingConfigurationCommand({
        thingIndexingConfiguration: { ...all, thingConnectivityIndexingMode },
      }),
    );
  await index("OFF");
  await connect();
  await index("STATUS");
  expect(await members("online")).toEqual(["press-1"]);
  const again = await fleet("as it is", store);
  expect(await again.members("online")).toEqual([]);
});

test("a continuous job and a Greengrass deployment follow a dynamic group", async () => {
  const { iot, cloud, clock, create, members } = await fleet();
  await create("saxony", "attributes.site:leipzig");
  const target = `${iotArn}:thinggroup/saxony`;
  await iot.send(
    new CreateJobCommand({ jobId: "j", targets: [target], targetSelection: "CONTINUOUS", document: "{}" }),
  );
  const inlineRecipe = Buffer.from(recipe("com.example.A", "1.0.0"));
  await cloud.invoke("greengrass", "CreateComponentVersion", { inlineRecipe });
  await clock.runUntil(clock.now() + 5000);
  await cloud.invoke("greengrass", "CreateDeployment", {
    targetArn: target,
    components: { "com.example.A": { componentVersion: "1.0.0" } },
  });
  const executions = async () =>
    (await iot.send(new ListJobExecutionsForJobCommand({ jobId: "j" }))).executionSummaries?.map(
      ({ thingArn, jobExecutionSummary }) => `${thingArn?.split("/")[1]} ${jobExecutionSummary?.status}`,
    );
  const toCore = (coreDeviceThingName: string) =>
    cloud.invoke("greengrass", "ListEffectiveDeployments", { coreDeviceThingName });
  expect(await executions()).toEqual(["press-1 QUEUED", "press-2 QUEUED"]);

  const move = (thingName: string, site: string) =>
    iot.send(new UpdateThingCommand({ thingName, attributePayload: { attributes: { site } } }));
  await move("press-3", "leipzig");
  await move("press-1", "jena");
  expect(await members("saxony")).toEqual(["press-2", "press-3"]);
  expect(await executions()).toEqual(["press-1 REMOVED", "press-2 QUEUED", "press-3 QUEUED"]);
  expect(await toCore("press-3")).toMatchObject({
    effectiveDeployments: [{ targetArn: target, coreDeviceExecutionStatus: "QUEUED" }],
  });
  expect(cloud.iot.registry.groupsOf("press-3").map(({ thingGroupName }) => thingGroupName)).toEqual([
    "saxony",
  ]);
});

test("a thing that is in ten groups joins no more; a static one may take the place of a dynamic one", async () => {
  const { iot, clock, create, members } = await fleet();
  for (let n = 1; n <= 11; n++) {
    await create(`d${n}`, "thingName:press-1");
    await clock.runUntil(clock.now() + 1000);
  }
  expect(await members("d10")).toEqual(["press-1"]);
  expect(await members("d11")).toEqual([]);
  await iot.send(new CreateThingGroupCommand({ thingGroupName: "static" }));
  const add = { thingName: "press-1", thingGroupName: "static" };
  await expect(iot.send(new AddThingToThingGroupCommand(add))).rejects.toThrow("is in 10 groups already");
  await iot.send(new AddThingToThingGroupCommand({ ...add, overrideDynamicGroups: true }));
  expect(await members("static")).toEqual(["press-1"]);
  expect(await members("d10")).toEqual([]);
});

test("the index tells its configuration, and finds things by pages", async () => {
  const { iot, search, report } = await fleet({ thingIndexingMode: "REGISTRY_AND_SHADOW" });
  expect(await iot.send(new DescribeIndexCommand({ indexName: "AWS_Things" }))).toMatchObject({
    indexStatus: "ACTIVE",
    schema: "REGISTRY_AND_SHADOW",
  });
  expect(await iot.send(new GetIndexingConfigurationCommand({}))).toMatchObject({
    thingIndexingConfiguration: { thingIndexingMode: "REGISTRY_AND_SHADOW" },
  });
  await report("press-3", { oil: { level: 4 } });
  const [found, ...others] = await search("shadow.reported.oil.level<5");
  expect(others).toEqual([]);
  expect(found).toMatchObject({ thingName: "press-3", attributes: { site: "jena" } });
  expect(JSON.parse(found?.shadow ?? "")).toEqual({ reported: { oil: { level: 4 } }, hasDelta: false });
  const first = await iot.send(new SearchIndexCommand({ queryString: "press*", maxResults: 2 }));
  const { nextToken } = first;
  const rest = await iot.send(new SearchIndexCommand({ queryString: "press*", maxResults: 2, nextToken }));
  expect([...(first.things ?? []), ...(rest.things ?? [])].map(({ thingName }) => thingName)).toEqual([
    "press-1",
    "press-2",
    "press-3",
  ]);
});

test("what cannot be searched is refused, and says what to do", async () => {
  const off = await fleet("as it is");
  await expect(off.search("*")).rejects.toMatchObject({ name: "IndexNotReadyException" });
  await expect(off.create("g", "*")).rejects.toThrow("set thingIndexingMode by UpdateIndexingConfiguration");
  const { create } = await fleet({ thingIndexingMode: "REGISTRY" });
  await expect(create("g", "deviceDefender.a:b")).rejects.toBeInstanceOf(InvalidQueryException);
  await expect(create("g", "shadow.reported.a:1")).rejects.toThrow(
    "set thingIndexingMode to REGISTRY_AND_SHADOW",
  );
  await expect(create("g", "shadow.name.oil.reported.a:1")).rejects.toThrow(
    "set namedShadowIndexingMode to ON",
  );
  await expect(create("g", "connectivity.connected:true")).rejects.toThrow(
    "set thingConnectivityIndexingMode",
  );
});

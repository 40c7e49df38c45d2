import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { ComponentName, ComponentVersion, ThingName, type Heartbeat } from "@coalmine/contract";
import type * as z from "zod";
import { names } from "../../infra/identity/identity.ts";
import { RolloutLog } from "../../pipeline/controller/rollout-log.ts";
import { EvidenceStore } from "../../pipeline/evidence/evidence-store.ts";
import { evidenceRow } from "../../pipeline/evidence/row.ts";
import { closeRegion, openRegion } from "../../pipeline/controller/region.ts";
import { iotArn, startTestFleet, type TestFleet } from "../../simulator/cloud/greengrass/test-fleet.ts";
import { operator } from "../../simulator/cloud/protocol/test-cloud.ts";
import { type AnswerName, answers } from "../answers/answers.ts";
import { addAuditCommands } from "../audit/commands.ts";
import type { CliCommand } from "../command/command.ts";
import { type Ran, runCommand } from "../command.fixture.ts";
import { addComponentCommands } from "../component/commands.ts";
import { addDeviceCommands } from "../device/commands.ts";
import { targetOf } from "../doctor/account-targets.ts";
import { exitCodes } from "../exit-codes.ts";
import { addRolloutCommands } from "../rollout/commands.ts";
import { addQuestions } from "../rollout/questions.ts";
import { setUpRegion } from "../system/set-up.ts";
import { environmentOf, places, writeRunning } from "../system/state.ts";
import { addFleetCommands } from "./commands.ts";

const folder = mkdtempSync(join(tmpdir(), "fleet-command-"));
const at = places(folder, { COALMINE_STATE: folder });
const place = { region: "us-east-1", accountId: "123456789012", partition: "aws" };
const group = "/aws/greengrass/UserComponent/us-east-1/com.example.One";
let fleet: TestFleet;

beforeAll(async () => {
  fleet = await startTestFleet(Date.now());
  const { cloud, clock } = fleet;
  const invoke = (service: string, operation: string, input: object) =>
    cloud.cloud.invoke(service, operation, input);
  const target = { ...targetOf(place.region, place.accountId), name: "home", endpoint: cloud.endpoint };
  await setUpRegion(invoke, place, [target.artifactBucket, target.lakeBucket]);
  const running = {
    pid: process.pid,
    isUp: true,
    targets: [target],
    repository: join(folder, "coalmine.git"),
    ...operator,
    controlTokens: {},
  };
  writeRunning(at, running);
  for (const [name, value] of Object.entries(environmentOf(running))) vi.stubEnv(name, value);
  const region = openRegion(target, place.accountId);
  await new RolloutLog(region.dynamodb, clock).ensure();
  await invoke("iot", "AddThingToThingGroup", { thingName: "core-1", thingGroupName: names.mainGroup });
  await invoke("iot", "AddThingToThingGroup", { thingName: "core-2", thingGroupName: names.canaryGroup });
  for (const version of ["1.0.0", "1.1.0"]) await fleet.publish("com.example.One", version);
  for (const [one, version] of [
    [names.mainGroup, "1.0.0"],
    [names.canaryGroup, "1.1.0"],
  ] as const)
    await fleet.deploy(`${iotArn}:thinggroup/${one}`, { "com.example.One": version });
  const store = new EvidenceStore(region.dynamodb, "home");
  await store.ensure(clock);
  for (const thing of ["core-1", "core-2"]) await store.put(evidenceRow(heartbeatOf(thing), Date.now()));
  closeRegion(region);
  const day = new Date().toISOString().slice(0, 10).replaceAll("-", "/");
  const stream = { logGroupName: group, logStreamName: `/${day}/thing/core-1` };
  await invoke("logs", "CreateLogGroup", { logGroupName: group });
  await invoke("logs", "CreateLogStream", stream);
  await fleet.wait(1000);
}, 120_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  await fleet.close();
  rmSync(folder, { recursive: true });
});

function heartbeatOf(thing: string): Heartbeat {
  return {
    version: 1,
    thing: ThingName.parse(thing),
    sentMs: Date.now(),
    sequence: 0,
    components: [
      {
        version: 1,
        component: ComponentName.parse("com.example.One"),
        componentVersion: ComponentVersion.parse("1.0.0"),
        startedMs: 0,
        counters: {},
        gauges: {},
        sums: {},
        ageMs: 1000,
      },
    ],
  };
}

function run(...words: string[]): Promise<Ran> {
  return runCommand(
    (program: CliCommand) => {
      addQuestions(program, addRolloutCommands(program, at), at);
      addFleetCommands(program, at);
      addDeviceCommands(program, at);
      addComponentCommands(program, at);
      addAuditCommands(program, at);
    },
    ...words,
  );
}

/** What it prints as JSON, which its schema takes. */
async function read<Name extends AnswerName>(
  name: Name,
  ...words: string[]
): Promise<z.output<(typeof answers)[Name]>> {
  const ran = await run(...words, "--json");
  expect([ran.code, ran.err], words.join(" ")).toEqual([0, ""]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each schema parses what its name stands for.
  return answers[name].parse(JSON.parse(ran.out)) as z.output<(typeof answers)[Name]>;
}

test("a fleet says its devices, its revisions and what drifts from them", async () => {
  expect(await read("fleet-list", "fleet", "list")).toMatchObject([
    {
      fleet: "home",
      devices: 2,
      byState: { well: 2 },
      seen: { stale: false },
      groups: [
        { group: names.canaryGroup, devices: 1, inForce: { components: { "com.example.One": "1.1.0" } } },
        { group: names.mainGroup, devices: 1, inForce: { components: { "com.example.One": "1.0.0" } } },
      ],
    },
  ]);
  expect((await read("fleet-show", "fleet", "show", "home")).installed).toEqual([
    { component: "com.example.One", version: "1.0.0", canary: 1, main: 1, drifted: 1 },
  ]);
  const shown = (await run("fleet", "show", "home")).out;
  expect(shown).toMatch(/home \(us-east-1\): 2 devices: 2 well; heard .* ago/);
  expect(shown).toMatch(/com\.example\.One 1\.0\.0: 1 canary, 1 main, 1 DRIFTED/);
  expect(await run("fleet", "show", "moon")).toMatchObject({
    code: exitCodes.conflict,
    err: expect.stringContaining('there is no fleet "moon"; take one of home'),
  });
});

test("devices and components are listed with what is known of each, a page at a time", async () => {
  expect((await read("device-list", "device", "list")).devices).toMatchObject([
    { thing: "core-1", cohort: "main", state: "well", seen: { stale: false } },
    { thing: "core-2", cohort: "canary", state: "well" },
  ]);
  expect((await run("device", "list")).out).toMatch(/home {2}core-1 {2}main {2}well {2}heard .* ago/);
  const first = await run("device", "list", "--limit", "1");
  expect([first.out.includes("core-1"), first.err]).toEqual([
    true,
    "these are 1 of 2; the next come with --after home/core-1",
  ]);
  const rest = await read("device-list", "device", "list", "--after", "home/core-1");
  expect(rest.devices.map(({ thing }) => thing)).toEqual(["core-2"]);
  expect((await read("device-list", "device", "list", "--cohort", "main")).total).toBe(1);
  expect((await run("device", "list", "--state", "silent")).out).toBe("there is no such device");
  expect((await run("device", "list", "--state", "ill")).code).toBe(exitCodes.usage);
  expect(await read("component-list", "component", "list")).toEqual([
    {
      fleet: "home",
      region: "us-east-1",
      component: "com.example.One",
      version: "1.1.0",
      state: "DEPLOYABLE",
    },
  ]);
});

test("where nothing was pushed yet, each question says so", async () => {
  expect(await read("rollout-list", "rollout", "list")).toEqual([]);
  expect(await read("audit-list", "audit", "list")).toEqual([]);
  for (const words of [["rollout", "show"], ["rollout", "watch"], ["why"]])
    expect(await run(...words)).toMatchObject({
      code: exitCodes.conflict,
      err: expect.stringContaining("there is no rollout yet; push something"),
    });
  for (const words of [
    ["audit", "verify", "abc"],
    ["audit", "export", "abc"],
    ["rollout", "watch", "abc"],
  ])
    expect((await run(...words)).code, words.join(" ")).toBe(exitCodes.conflict);
  expect(await run("why", "COMPONENT_BROKE")).toMatchObject({
    code: exitCodes.conflict,
    err: expect.stringContaining("near it are COMPONENT_BROKEN"),
  });
  expect((await read("why", "why", "COMPONENT_BROKEN"))[0]).toMatch(/^COMPONENT_BROKEN: /);
});

test("logs of a device that nobody knows are refused, and of a silent one it says that there are none", async () => {
  expect(await run("device", "logs", "core-9")).toMatchObject({
    code: exitCodes.conflict,
    err: expect.stringContaining("no fleet has a device core-9"),
  });
  expect(await run("device", "logs", "core-1")).toMatchObject({
    code: 0,
    out: "",
    err: expect.stringContaining("no line of core-1 in the last 60 minutes"),
  });
});

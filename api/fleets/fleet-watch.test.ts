import {
  AddThingToThingGroupCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
} from "@aws-sdk/client-iot";
import {
  ComponentName,
  componentNames,
  ComponentVersion,
  ThingName,
  type Heartbeat,
} from "@coalmine/contract";
import { Closing } from "@coalmine/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { closeRegion, eachOf, openRegion, type Region } from "../../pipeline/controller/region.ts";
import { EvidenceStore } from "../../pipeline/evidence/evidence-store.ts";
import { evidenceRow } from "../../pipeline/evidence/row.ts";
import { operator } from "../../simulator/cloud/protocol/test-cloud.ts";
import { startCloud } from "../../test/rig-cloud.ts";
import { ACCOUNT, type RigCloud } from "../rig.ts";
import { FleetWatch } from "./fleet-watch.ts";

process.env["AWS_ACCESS_KEY_ID"] = operator.accessKeyId;
process.env["AWS_SECRET_ACCESS_KEY"] = operator.secretAccessKey;
const DEVICES = process.env["COALMINE_LONG"] === "1" ? 1000 : 12;
const MINUTE_MS = 60_000;
const closing = new Closing();
let cloud: RigCloud;
let region: Region;
let store: EvidenceStore;
let sequence = 0;
const things = Array.from({ length: DEVICES }, (_, index) => `core-${String(index).padStart(4, "0")}`);

beforeAll(async () => {
  cloud = await startCloud(closing, "home", "us-east-1");
  const target = {
    name: "home",
    region: cloud.region,
    endpoint: cloud.endpoint,
    artifactBucket: "artifacts",
    lakeBucket: "lake",
    canaryGroup: "canary",
    mainGroup: "main",
  };
  region = closing.add(openRegion(target, ACCOUNT), closeRegion);
  store = new EvidenceStore(region.dynamodb, "home");
  await store.ensure(cloud.clock);
  for (const thingGroupName of ["canary", "main"])
    await region.iot.send(new CreateThingGroupCommand({ thingGroupName }));
  await eachOf(things, async (thingName) => {
    const attributePayload = { attributes: { site: `site-${thingName.slice(-1)}` } };
    await region.iot.send(new CreateThingCommand({ thingName, attributePayload }));
    await region.iot.send(new AddThingToThingGroupCommand({ thingName, thingGroupName: "main" }));
  });
}, 300_000);
afterAll(() => closing.close());

const watching = (name: string): FleetWatch =>
  new FleetWatch({
    region,
    name,
    time: { now: async () => cloud.clock.now(), waitUntil: async () => cloud.clock.now() },
    // Each look is a new one.
    clock: { monotonicMs: () => (lookMs += 301) },
  });
let lookMs = 0;

async function says(thing: string, version = "1.0.0"): Promise<void> {
  const nowMs = cloud.clock.now();
  const heartbeat: Heartbeat = {
    version: 1,
    thing: ThingName.parse(thing),
    sentMs: nowMs,
    sequence: sequence++,
    components: [
      {
        version: 1,
        component: ComponentName.parse(componentNames.streamUploader),
        componentVersion: ComponentVersion.parse(version),
        startedMs: 0,
        counters: {},
        gauges: {},
        sums: {},
        ageMs: 1000,
      },
    ],
  };
  await store.put(evidenceRow(heartbeat, nowMs));
}

test("a fleet's devices are well while they say so, silent when they stop, and each word is one event", async () => {
  const watch = watching("a");
  await eachOf(things, (thing) => says(thing));
  const before = await watch.look();
  expect(
    [...before.rows.values()].every(({ state, seen }) => state === "well" && seen?.stale === false),
  ).toBe(true);
  expect(before.rows.get("core-0003")?.site).toBe("site-3");
  const place = watch.place();
  await cloud.clock.runUntil(cloud.clock.now() + MINUTE_MS);
  await says("core-0001", "1.0.1");
  await watch.look();
  await watch.look();
  const told = watch.since(place) ?? [];
  expect(told.map(({ source, row, versions }) => [source, row.thing, versions])).toEqual([
    ["heartbeat", "core-0001", { [componentNames.streamUploader]: "1.0.1" }],
  ]);
  await cloud.clock.runUntil(cloud.clock.now() + 3 * MINUTE_MS);
  await says("core-0002");
  const { rows } = await watch.look();
  expect([
    rows.get("core-0000")?.state,
    rows.get("core-0000")?.seen?.stale,
    rows.get("core-0002")?.state,
  ]).toEqual(["silent", true, "well"]);
  const later = watch.since(place)?.slice(told.length) ?? [];
  expect(later[0]).toMatchObject({ source: "heartbeat", row: { thing: "core-0002" } });
  expect(later.slice(1).every(({ source, row }) => source === "time" && row.state === "silent")).toBe(true);
  expect(later).toHaveLength(things.length);
});

test("a place of another watch, and one from before the clock has jumped, has to be read anew", async () => {
  const watch = watching("b");
  await watch.look();
  const place = watch.place();
  expect([watch.since("a.1.0"), watch.since("nothing"), watch.since(place)]).toEqual([
    undefined,
    undefined,
    [],
  ]);
  await cloud.clock.runUntil(cloud.clock.now() + 3_600_000);
  const { rows } = await watch.look();
  expect(watch.since(place)).toBeUndefined();
  expect(rows.get("core-0001")?.state).toBe("unseen");
});

test("a device's word is told by the next look, in less than a second however large the fleet", async () => {
  const watch = watching("c");
  await eachOf(things, (thing) => says(thing));
  await watch.look();
  const tookMs: number[] = [];
  for (let round = 0; round < 20; round++) {
    await cloud.clock.runUntil(cloud.clock.now() + 1000);
    const place = watch.place();
    const begunMs = performance.now();
    await says(things[round % things.length] ?? "");
    await watch.look();
    expect(watch.since(place)?.map(({ row }) => row.thing)).toEqual([things[round % things.length]]);
    tookMs.push(performance.now() - begunMs);
  }
  const p95Ms = tookMs.toSorted((a, b) => a - b)[18] ?? 0;
  if (process.env["COALMINE_LONG"] === "1")
    console.log(`p95 of ${things.length} devices: ${p95Ms.toFixed(0)} ms`);
  expect(p95Ms).toBeLessThan(1000);
}, 60_000);

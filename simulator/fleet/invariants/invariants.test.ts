import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RegionEvent } from "../driven/region.ts";
import { ConductWitness } from "../evidence/conduct-witness.ts";
import { lakeFindings } from "../evidence/lake.ts";
import { logFindings } from "../evidence/secrets.ts";
import type { DeviceConduct } from "../hosted/hosted-device.ts";
import { openWitnessed } from "../evidence/witnessed-region.ts";
import { usualNames } from "../driven/usual-settings.ts";
import { invariants, type InvariantName, type Observed } from "./invariants.ts";

const HOUR_MS = 3_600_000;
const MIB = 1024 ** 2;
let artifactFolder: string;
let clean: Observed;
let thing: string;

/** Two devices with nothing but a nucleus: in them everything holds, until something is planted. */
beforeAll(async () => {
  artifactFolder = mkdtempSync(join(tmpdir(), "invariants-"));
  const witnessed = await openWitnessed({ devices: 2, seed: "1", artifactFolder, faultyShare: 0 });
  const { region } = witnessed;
  const beganMs = region.clock.now();
  for (const { bench } of region.devices) bench.rest();
  await region.turn.run(beganMs + 3 * HOUR_MS);
  thing = region.devices[0]?.thingName ?? "";
  const logStream = { logGroupName: "planted", logStreamName: "planted" };
  await region.cloud.invoke("logs", "CreateLogGroup", { logGroupName: "planted" });
  await region.cloud.invoke("logs", "CreateLogStream", logStream);
  await region.cloud.invoke("logs", "PutLogEvents", {
    ...logStream,
    logEvents: [{ timestamp: region.clock.now(), message: "all is well" }],
  });
  clean = {
    ...witnessed,
    beganMs,
    releases: [{ folder: "none", components: [] }],
    lake: { ...(await lakeFindings(region, usualNames.lakeBucket)), rows: 1, lost: 0, examples: [] },
    logs: await logFindings(region, witnessed.secrets),
    mayBreak: [],
    heap: [1, 2, 3].map((hour) => ({ atMs: beganMs + hour * HOUR_MS, bytes: 100 * MIB })),
  };
});
afterAll(async () => {
  await clean.region.close();
  rmSync(artifactFolder, { recursive: true });
});

const check = async (name: InvariantName, of: Observed) => invariants[name](of);
const now = () => clean.region.clock.now();
const told = (event: Extract<RegionEvent, { kind: "device" }>["event"], at = now()): RegionEvent => ({
  kind: "device",
  thingName: thing,
  at,
  event,
});
const component = (state: "BROKEN" | "STARTING" | "RUNNING", at = now()) =>
  told(
    {
      kind: "component",
      from: "INSTALLED",
      component: { name: "coalmine.Inference", version: "1.0.0", state, details: undefined },
    },
    at,
  );

test.each(Object.keys(invariants) as InvariantName[])("%s holds where nothing is planted", async (name) => {
  expect(await check(name, clean)).toMatchObject({ name, ok: true });
});

test("a reading that never arrives is found, and one that arrives twice", async () => {
  const name = "nothing lost or doubled";
  expect(await check(name, { ...clean, lake: { ...clean.lake, lost: 1 } })).toMatchObject({
    name,
    ok: false,
  });
  expect(await check(name, { ...clean, lake: { ...clean.lake, doubled: 1 } })).toMatchObject({ ok: false });
});

test("a device that is half of one release and half of another is found", async () => {
  const component = { component: "coalmine.Inference", version: "1.0.0", recipe: "", artifacts: [] };
  const found = await check("every device ends in a known release", {
    ...clean,
    releases: [{ folder: "none", components: [component] }],
  });
  expect(found).toMatchObject({
    ok: false,
    found: expect.stringContaining("coalmine.Inference is not installed"),
  });
});

test("a component that gave up is found, unless its cause was planted", async () => {
  const events = [...clean.events, component("BROKEN")];
  expect(await check("no component broken", { ...clean, events })).toMatchObject({ ok: false });
  const planted = { ...clean, events, mayBreak: ["coalmine.Inference"] };
  expect(await check("no component broken", planted)).toMatchObject({ ok: true });
});

test("a deployment that never ends is found, and a component that stays between two states", async () => {
  const waits = (...events: RegionEvent[]) => check("no wait without a deadline", { ...clean, events });
  const began = told({ kind: "deployment", id: "d", result: undefined }, now() - 2 * HOUR_MS);
  expect(await waits(began)).toMatchObject({
    ok: false,
    found: expect.stringContaining("deployment d took 120 min"),
  });
  const power: RegionEvent = { kind: "power", isOn: false, thingName: thing, at: now() - HOUR_MS };
  expect(await waits(began, power)).toMatchObject({ ok: true });
  const starting = component("STARTING", now() - HOUR_MS);
  expect(await waits(starting)).toMatchObject({
    ok: false,
    found: expect.stringContaining("STARTING for 60 min"),
  });
  expect(await waits(starting, component("RUNNING", now() - HOUR_MS + 1000))).toMatchObject({ ok: true });
});

test("a work folder that fills is found, and logs that do", async () => {
  const full = (work: number, rest: number) =>
    check("bounded disk", {
      ...clean,
      usage: {
        workBytesMax: new Map([[`${thing} coalmine.StreamUploader`, work]]),
        restBytesMax: new Map([[thing, rest]]),
        look: () => undefined,
        watch: () => undefined,
      },
    });
  expect(await full(MIB, MIB)).toMatchObject({ ok: true });
  expect(await full(40 * MIB, MIB)).toMatchObject({
    ok: false,
    found: expect.stringContaining("StreamUploader"),
  });
  expect(await full(MIB, 200 * MIB)).toMatchObject({ ok: false, found: expect.stringContaining("of logs") });
});

test("memory that grows with time is found", async () => {
  const heap = [1, 2, 3].map((hour) => ({ atMs: clean.beganMs + hour * HOUR_MS, bytes: 32 * hour * MIB }));
  expect(await check("bounded memory", { ...clean, heap })).toMatchObject({
    ok: false,
    found: expect.stringContaining("grow by 32.0 MiB in the second half, more than 16.5 MiB"),
  });
});

test("a topic or call that is not allowed is found, a flood, and a refusal", async () => {
  const name = "only allowed topics and calls";
  const wrong = async (plant: (own: DeviceConduct) => void, sentence: string) => {
    const conduct = new ConductWitness();
    plant(conduct.ofThing(thing));
    expect(await check(name, { ...clean, conduct })).toMatchObject({
      ok: false,
      found: expect.stringContaining(sentence),
    });
  };
  const uploader = "coalmine.StreamUploader";
  await wrong(
    (own) => own.of(uploader).published("cloud", "coalmine/another/heartbeat"),
    "publishes to coalmine/another/heartbeat",
  );
  await wrong((own) => own.called("s3", "DeleteObject", undefined), "a component calls s3 DeleteObject");
  await wrong((own) => own.called("s3", "PutObject", "AccessDenied"), "AccessDenied");
  await wrong((own) => own.of(uploader).refused("PublishToTopic: no"), "PublishToTopic: no");
  await wrong((own) => {
    const of = own.of(uploader);
    for (let count = 0; count < 3000; count++) of.published("cloud", `coalmine/${thing}/heartbeat`);
  }, "publishes 1000 messages an hour");
  expect(await check(name, clean)).toMatchObject({ ok: true });
});

test("a secret in a log is found, and not told", async () => {
  const { cloud } = clean.region;
  await cloud.invoke("logs", "PutLogEvents", {
    logGroupName: "planted",
    logStreamName: "planted",
    logEvents: [{ timestamp: now(), message: "with the token s3cr3t-of-a-device" }],
  });
  const logs = await logFindings(clean.region, new Set(["s3cr3t-of-a-device"]));
  expect(await check("logs hold no secrets", { ...clean, logs })).toMatchObject({
    ok: false,
    found: "2 lines; a secret in line 2 of planted",
  });
});

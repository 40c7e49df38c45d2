import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ipcPort } from "@coalmine/ipc";
import type { Ports } from "@coalmine/ports";
import { DrivenClock, SeededRandom, silentLog } from "@coalmine/runtime";
import { zipSync } from "fflate";
import { beforeEach, expect, test } from "vitest";
import { linkPair } from "../../cloud/broker/link-pair.ts";
import { Cloud } from "../../cloud/cloud.ts";
import { dataPlaneHandler } from "../../cloud/greengrass/data-plane.ts";
import { openIotParts, type LocalIot } from "../../cloud/iot-parts.ts";
import { memoryStore } from "../../cloud/store/memory-store.ts";
import { CoreDevice } from "../core-device.ts";
import type { Command } from "../ports.ts";
import { operatorOf } from "../testing/fleet-cloud.ts";
import { drain } from "../testing/services.ts";
import { ArtifactCache } from "./artifact-cache.ts";
import { hostedDataPlane } from "./data-plane.ts";
import { HostedLauncher, type HostedPorts } from "./hosted-launcher.ts";
import { HostedRoot } from "./hosted-root.ts";
import { MemoryDisk } from "./memory-disk.ts";
import { HostedMqttLink } from "./mqtt-link.ts";

const START = Date.UTC(2026, 10, 23, 8);
let clock: DrivenClock;
let cloud: Cloud<LocalIot>;
let operator: ReturnType<typeof operatorOf>;
let cache: ArtifactCache;

beforeEach(async () => {
  clock = new DrivenClock(START, drain);
  const random = new SeededRandom("hosted");
  cloud = new Cloud({
    place: { region: "us-east-1", accountId: "123456789012" },
    clock,
    wallClock: clock,
    random,
    store: memoryStore(),
    log: silentLog,
    credentials: { accessKeyId: "AKIACOALMINELOCAL000", secretAccessKey: "local-secret" },
    iot: await openIotParts({ random, wallClock: clock }),
  });
  operator = operatorOf(cloud);
  await operator.setUp();
  cache = new ArtifactCache(mkdtempSync(join(tmpdir(), "coalmine-hosted-")));
});

const run = (ms: number): Promise<void> => clock.runUntil(clock.now() + ms);

async function hosted(thingName: string) {
  const { certificateId } = await operator.register(thingName);
  const root = new HostedRoot(`/greengrass/${thingName}`, new MemoryDisk(clock), cache);
  const network = { isUp: true };
  const links: { close(): Promise<void> }[] = [];
  const random = new SeededRandom(thingName);
  const downloads: string[] = [];
  const fail = new Map<string, (reason: string) => void>();
  const portsFor = (command: Command): HostedPorts => {
    const failed = new Promise<string>((resolve) => fail.set(command.component, resolve));
    const process = { fail: (reason: string) => fail.get(command.component)?.(reason) };
    const ipc = ipcPort(device.service, command.component, { clock, log: silentLog, process });
    const write = (line: string): void => command.output("stdout", line);
    const log = { ...silentLog, info: write };
    // As many ports as this bundle uses.
    const ports = { clock, random, ipc, log } as unknown as Ports;
    return { ports, drop: () => undefined, close: async () => undefined, failed };
  };
  const device = new CoreDevice({
    thingName,
    region: "us-east-1",
    clock,
    random,
    root,
    cloudLink: new HostedMqttLink({
      clientId: thingName,
      clock,
      random,
      open: async () => {
        if (!network.isUp) throw new Error("no network");
        const [ours, theirs] = linkPair();
        cloud.iot.broker.accept(theirs, { certificateId, thingName, kind: "in-process" });
        links.push(ours);
        return ours;
      },
    }),
    dataPlane: hostedDataPlane({
      thingName,
      certificateId: () => certificateId,
      dataPlane: dataPlaneHandler(cloud.dataPlane),
      credentials: cloud.iot.credentials.handle,
      isOnline: () => network.isUp,
      readObject: async (Bucket, Key) => {
        downloads.push(Key);
        const { Body } = (await cloud.invoke("s3", "GetObject", { Bucket, Key })) as { Body: Uint8Array };
        return Body;
      },
    }),
    launcher: new HostedLauncher({ root, portsFor, busy: () => clock.busy() }),
    platform: { os: "linux", architecture: "amd64" },
    nucleusVersion: "2.18.0",
    environment: { PATH: "/usr/bin" },
    log: silentLog,
    nucleusConfiguration: { iotRoleAlias: "Alias" },
  });
  await device.start();
  return {
    device,
    root,
    network,
    links,
    downloads,
    fail,
    stateOf: (name: string) => device.components().find((one) => one.name === name)?.state,
  };
}

/** A bundle as the build makes it, but small: it answers what it is configured with, and can be told to refuse. */
function bundle(body: string): Uint8Array {
  const component = `export const portsVersion = 1;
export async function start(ports) {
  ${body}
}`;
  return zipSync({
    "component.mjs": new TextEncoder().encode(component),
    "main.mjs": new TextEncoder().encode(""),
  });
}
const good = `
  const greeting = await ports.ipc.getConfiguration(["greeting"]);
  let ticks = 0;
  let timer;
  const tick = () => { ticks++; timer = ports.clock.timer(60_000, tick); };
  tick();
  ports.log.info(JSON.stringify({ greeting }));
  return { stop: async () => { timer.cancel(); ports.log.info(JSON.stringify({ ticks })); } };`;
const Lifecycle = { Run: 'exec "/usr/bin/node" "{artifacts:decompressedPath}/artifact/main.mjs"' };

test("two hosted devices run one imported artifact, fetched once, on a driven clock [core-device-10.1]", async () => {
  await operator.publish(
    "com.example.A",
    "1.0.0",
    { Configuration: { greeting: "hello" }, Lifecycle },
    bundle(good),
  );
  const one = await hosted("core-1");
  const two = await hosted("core-2");
  await run(10_000);
  await operator.deploy("thinggroup/fleet", { "com.example.A": { componentVersion: "1.0.0" } });
  await run(60_000);
  expect([one.stateOf("com.example.A"), two.stateOf("com.example.A")]).toEqual(["RUNNING", "RUNNING"]);
  expect(await operator.effective("core-2")).toContain("SUCCEEDED");
  expect([...one.downloads, ...two.downloads]).toEqual(["com.example.A/1.0.0/artifact.zip"]);
  await run(5 * 60_000);
  const stopped = one.device.stop();
  await run(10_000);
  await stopped;
  expect(await one.root.readText("logs/com.example.A.log")).toBe('{"greeting":"hello"}\n{"ticks":6}\n');
});

test("a start that rejects is exit code 1: three of them roll the deployment back [core-device-10.2]", async () => {
  await operator.publish(
    "com.example.A",
    "1.0.0",
    { Configuration: { greeting: "hello" }, Lifecycle },
    bundle(good),
  );
  await operator.publish(
    "com.example.A",
    "2.0.0",
    { Lifecycle },
    bundle('throw new Error("the sensor is not known");'),
  );
  const { device, stateOf, root } = await hosted("core-1");
  await run(10_000);
  await operator.deploy("thinggroup/fleet", { "com.example.A": { componentVersion: "1.0.0" } });
  await run(60_000);
  await operator.deploy("thinggroup/fleet", { "com.example.A": { componentVersion: "2.0.0" } });
  await run(120_000);
  expect(device.components().find(({ name }) => name === "com.example.A")).toMatchObject({
    version: "1.0.0",
    state: "RUNNING",
  });
  expect(await operator.effective("core-1")).toContain("FAILED");
  expect(await root.readText("logs/com.example.A.log")).toContain("stderr. the sensor is not known");
  expect(stateOf("com.example.A")).toBe("RUNNING");
});

test("any other script is refused with a sentence [core-device-10.3]", async () => {
  await operator.publish("com.example.A", "1.0.0", { Lifecycle: { Run: "rm -rf /" } });
  const { root } = await hosted("core-1");
  await run(10_000);
  await operator.deploy("thinggroup/fleet", { "com.example.A": { componentVersion: "1.0.0" } });
  await run(60_000);
  expect(await root.readText("logs/com.example.A.log")).toContain(
    "a hosted device runs only scripts of the form",
  );
  expect(await operator.effective("core-1")).toContain("FAILED");
});

test("a hosted device without a network comes back by itself and reports what it missed [core-device-10.4]", async () => {
  await operator.publish(
    "com.example.A",
    "1.0.0",
    { Configuration: { greeting: "hi" }, Lifecycle },
    bundle(good),
  );
  const one = await hosted("core-1");
  await run(10_000);
  one.network.isUp = false;
  for (const link of one.links.splice(0)) await link.close();
  await operator.deploy("thinggroup/fleet", { "com.example.A": { componentVersion: "1.0.0" } });
  await run(10 * 60_000);
  expect(one.device.isConnected).toBe(false);
  one.network.isUp = true;
  await run(5 * 60_000);
  expect(one.device.isConnected).toBe(true);
  expect(one.stateOf("com.example.A")).toBe("RUNNING");
  expect(await operator.effective("core-1")).toContain("SUCCEEDED");
});

test("a component that asks for its own end is started again [core-device-10.5]", async () => {
  await operator.publish(
    "com.example.A",
    "1.0.0",
    { Configuration: { greeting: "hi" }, Lifecycle },
    bundle(good),
  );
  const one = await hosted("core-1");
  await run(10_000);
  await operator.deploy("thinggroup/fleet", { "com.example.A": { componentVersion: "1.0.0" } });
  await run(60_000);
  const states: string[] = [];
  one.device.watch((event) => event.kind === "component" && states.push(event.component.state));
  one.fail.get("com.example.A")?.("an invariant does not hold");
  await run(1000);
  expect(states).toEqual(["ERRORED", "STOPPING", "INSTALLED", "STARTING", "RUNNING"]);
});

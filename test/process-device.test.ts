import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CloudWatchLogsClient,
  DescribeLogStreamsCommand,
  GetLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { CreateDeploymentCommand, GreengrassV2Client } from "@aws-sdk/client-greengrassv2";
import {
  AttachPolicyCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  DescribeThingCommand,
  type IoTClient,
  ListThingPrincipalsCommand,
} from "@aws-sdk/client-iot";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { componentNames, Heartbeat, ThingName, topics } from "@coalmine/contract";
import { systemClock } from "@coalmine/runtime/system-clock";
import { parquetReadObjects } from "hyparquet";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { IotConnection } from "../commissioning/iot-connection.ts";
import { mqttConnector } from "../commissioning/mqtt-connector.ts";
import { noProxy } from "../commissioning/proxy-file.ts";
import { names } from "../infra/identity/identity.ts";
import { publish } from "../pipeline/publish/publish.ts";
import { installedComponents } from "../simulator/fleet/process/installed-components.ts";
import type { DeviceSite } from "../simulator/fleet/process/process-device.ts";
import { ProcessFleet } from "../simulator/fleet/process/process-fleet.ts";
import { startedWith } from "../simulator/fleet/process/process-tree.ts";
import { MARK } from "../simulator/fleet/process/supervised-process.ts";
import { coreDevice } from "./artifacts-setup.ts";
import { type LocalRegion, place, startLocalRegion } from "./local-region.ts";
import { commissionIn } from "./on-this-machine.ts";
import { ownRelease } from "../cli/simulate/own-release.ts";

const buckets = { artifacts: "coalmine-artifacts", lake: "coalmine-lake" };
const device = "core-01";
const { dist, manifest: built } = inject("built");
const clock = systemClock;

let folder: string;
let region: LocalRegion;
let clients: { iot: IoTClient; s3: S3Client; greengrass: GreengrassV2Client; logs: CloudWatchLogsClient };
let fleet: ProcessFleet | undefined;
const seconds: Record<string, number> = {};

async function timed<Result>(what: string, run: () => Promise<Result>): Promise<Result> {
  const started = clock.monotonicMs();
  const result = await run();
  seconds[what] = Math.round(clock.monotonicMs() - started) / 1000;
  return result;
}

/** Whoever watches the fleet, by a certificate of their own. */
async function operatorConnection(): Promise<IotConnection> {
  const { iot } = clients;
  const policyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: ["iot:*"], Resource: ["*"] }],
  });
  await iot.send(new CreatePolicyCommand({ policyName: "operator", policyDocument }));
  const made = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
  await iot.send(new AttachPolicyCommand({ policyName: "operator", target: made.certificateArn }));
  return mqttConnector({ host: "localhost", port: region.cloud.ports.mqtt }, clock, noProxy).connect({
    clientId: "operator",
    certificatePem: made.certificatePem ?? "",
    privateKeyPem: made.keyPair?.PrivateKey ?? "",
    rootCaPem: region.cloud.cloud.iot.authority.certificatePem,
    whose: "device",
  });
}

async function commissionDevice(site: DeviceSite): Promise<void> {
  const { report } = await commissionIn(region, folder, site);
  expect(report).toMatchObject({ thing: site.name, passed: true, claimErased: true });
}

function versionOf(component: string): string {
  const found = built.components.find((one) => one.component === component);
  if (found === undefined) throw new Error(`dist/build.json has no ${component}`);
  return found.version;
}

async function deploy(): Promise<void> {
  const model = JSON.parse(await readFile("models/blood-viscosity/manifest.json", "utf8")) as {
    sha256: string;
  };
  const merges: Record<string, object> = {
    [componentNames.inference]: {
      model: {
        component: componentNames.bloodViscosityModel,
        componentVersion: versionOf(componentNames.bloodViscosityModel),
        sha256: model.sha256,
      },
      healthIntervalSeconds: 5,
    },
    [componentNames.streamUploader]: {
      bucket: buckets.lake,
      flushIntervalSeconds: 2,
      healthIntervalSeconds: 5,
    },
    [componentNames.sensorReader]: { ports: "all", batchSeconds: 1, healthIntervalSeconds: 5 },
    [componentNames.logManager]: { periodicUploadIntervalSec: 2, healthIntervalSeconds: 5 },
  };
  await clients.greengrass.send(
    new CreateDeploymentCommand({
      targetArn: `arn:aws:iot:${place.region}:${place.accountId}:thinggroup/${names.fleetGroup}`,
      deploymentName: "everything",
      components: Object.fromEntries(
        Object.values(componentNames).map((name) => {
          const merge = merges[name];
          return [
            name,
            {
              componentVersion: versionOf(name),
              ...(merge === undefined ? {} : { configurationUpdate: { merge: JSON.stringify(merge) } }),
            },
          ];
        }),
      ),
    }),
  );
}

interface Row {
  readonly thing: string;
  readonly instrument: string;
  readonly boot: number;
  readonly sequence: bigint;
  readonly channel: string;
  readonly model_sha256: string | null;
}

/** Every row of every object of the lake. */
async function lakeRows(): Promise<readonly Row[]> {
  const { s3 } = clients;
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: buckets.lake }));
  const rows: Row[] = [];
  for (const { Key } of Contents) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: buckets.lake, Key }));
    const bytes = await Body?.transformToByteArray();
    if (bytes === undefined) throw new Error(`${Key} has no body`);
    const file = bytes.slice().buffer;
    rows.push(...((await parquetReadObjects({ file })) as unknown as Row[]));
  }
  return rows;
}

const points = (rows: readonly Row[]): readonly Row[] => rows.filter((row) => row.model_sha256 === null);

/** Points by reading: how many rows each reading of an instrument has. */
function countByReading(rows: readonly Row[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { instrument, boot, sequence } of points(rows)) {
    const key = `${instrument}/${boot}/${sequence}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** The same of the ledger: how many points each reading must have become. */
async function expectedByReading(running: ProcessFleet): Promise<Map<string, number>> {
  const sent = [...(await running.sentReadings()).values()].flat();
  return new Map(
    sent.map(({ instrument, boot, sequence, channels }) => [`${instrument}/${boot}/${sequence}`, channels]),
  );
}

async function until(what: string, withinMs: number, holds: () => Promise<boolean>): Promise<void> {
  const deadline = clock.monotonicMs() + withinMs;
  while (!(await holds())) {
    if (clock.monotonicMs() > deadline) throw new Error(`${what}: not within ${withinMs / 1000} s`);
    await clock.sleep(500);
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cm-"));
  region = await startLocalRegion(join(folder, "cloud"));
  const { cloud, settings } = region;
  clients = {
    iot: region.iot,
    s3: new S3Client({ ...settings, forcePathStyle: true }),
    greengrass: new GreengrassV2Client(settings),
    logs: new CloudWatchLogsClient(settings),
  };
  for (const Bucket of Object.values(buckets)) await clients.s3.send(new CreateBucketCommand({ Bucket }));
  const release = await ownRelease(join(folder, "dist"), { dist, manifest: built });
  const target = {
    name: "home",
    region: place.region,
    endpoint: cloud.endpoint,
    artifactBucket: buckets.artifacts,
    lakeBucket: buckets.lake,
    canaryGroup: names.canaryGroup,
    mainGroup: names.mainGroup,
  };
  await timed("publish", () =>
    publish(release.dist, release.manifest, target, {
      ...clients,
      clock,
      pause: () => clock.sleep(200),
      accountId: place.accountId,
    }),
  );
}, 180_000);

afterAll(async () => {
  await fleet?.stop();
  await region.cloud.close();
  await rm(folder, { recursive: true, force: true });
});

test("what an instrument measures is in the lake exactly once, by way of a device that was commissioned, deployed to and stopped", async () => {
  const heartbeats: Heartbeat[] = [];
  let starts = 0;
  const listener = await operatorConnection();
  await listener.subscribe(topics.heartbeat(ThingName.parse(device)), (payload) => {
    heartbeats.push(Heartbeat.parse(JSON.parse(payload)));
  });
  const program = await timed("core device's bundle", coreDevice);
  fleet = await timed("commission and start", () =>
    ProcessFleet.start({
      folder: join(folder, "fleet"),
      devices: [device],
      clock,
      seed: "together",
      periodSeconds: 15,
      pointIntervalMs: 200,
      endpoint: region.cloud.endpoint,
      node: process.execPath,
      coreDevice: async () => program,
      commissionDevice,
      installedComponents: (thing) => installedComponents(clients.greengrass, thing),
      report: (event) => {
        if (event.kind === "started" && event.name === device) starts += 1;
      },
    }),
  );
  const running = fleet;
  const principals = await clients.iot.send(new ListThingPrincipalsCommand({ thingName: device }));
  expect(principals.principals).toHaveLength(1);
  expect((await clients.iot.send(new DescribeThingCommand({ thingName: device }))).attributes).toEqual({
    site: "laboratory-3",
    hardwareId: "unknown",
  });

  await timed("deployment to RUNNING", async () => {
    await deploy();
    await running.waitUntilRunning(Object.values(componentNames), 60_000);
  });
  const memory = await running.memory();
  console.log(JSON.stringify({ seconds, memoryMiB: memory.pssBytes / 2 ** 20, processes: memory.processes }));

  const measured = async (): Promise<number> => (await expectedByReading(running)).size;
  // Between two curves, so that nothing is under way.
  const everythingIsInTheLake = async (): Promise<boolean> => {
    const expected = await expectedByReading(running);
    const found = countByReading(await lakeRows());
    return [...expected].every(([key, channels]) => found.get(key) === channels);
  };
  const measuresOn = async (): Promise<void> => {
    const before = await measured();
    await until("a curve goes on", 60_000, async () => (await measured()) >= before + 5);
  };

  // Whatever ends in the midst of a curve, nothing of it is lost and nothing is there twice.
  await measuresOn();
  const [core] = running.devices;
  await timed("crash to RUNNING", async () => {
    core?.process.crash();
    await until("the core device is started again", 20_000, async () => starts === 2);
    await running.waitUntilRunning(Object.values(componentNames), 60_000);
  });
  await measuresOn();
  expect(await core?.killComponent(componentNames.sensorReader)).toBe(1);

  await until("a heartbeat at IoT Core", 70_000, async () => heartbeats.length > 0);
  await until(
    "logs at CloudWatch Logs",
    20_000,
    async () => (await loggedBy(componentNames.sensorReader)) > 0,
  );

  await until("three flow curves measured", 60_000, async () => (await measured()) >= 60);
  await until("every reading in the lake", 30_000, everythingIsInTheLake);

  await listener.close();
  await timed("stop", () => running.stop());
  fleet = undefined;
  expect(await startedWith(MARK, `${join(folder, "fleet")}/${device}`)).toEqual([]);
  expect(await startedWith(MARK, `${join(folder, "fleet")}/instruments`)).toEqual([]);

  const rows = await lakeRows();
  const expected = await expectedByReading(running);
  const found = countByReading(rows);
  console.log(
    JSON.stringify({
      seconds,
      readings: expected.size,
      rows: rows.length,
      results: rows.length - points(rows).length,
      heartbeats: heartbeats.length,
    }),
  );
  for (const [key, count] of found) expect([key, count]).toEqual([key, expected.get(key)]);
  expect(found.size).toBeGreaterThanOrEqual(60);
  // What is missing was measured when the device had stopped, and waits in the instrument: nothing in between.
  const sequenceOf = (key: string): number => Number(key.split("/")[2]);
  const last = Math.max(...[...found.keys()].map(sequenceOf));
  expect([...expected.keys()].filter((key) => !found.has(key) && sequenceOf(key) < last)).toEqual([]);
  const named = rows.map((row) => `${row.instrument}/${row.boot}/${row.sequence}/${row.channel}`);
  expect(new Set(named).size).toBe(named.length);
  expect(rows.length - points(rows).length).toBeGreaterThan(0);
  expect(heartbeats[0]?.components.map(({ component }) => component)).toEqual([
    componentNames.inference,
    componentNames.logManager,
    componentNames.sensorReader,
    componentNames.streamUploader,
  ]);
}, 240_000);

async function loggedBy(component: string): Promise<number> {
  const logGroupName = `/aws/greengrass/UserComponent/${place.region}/${component}`;
  try {
    const { logStreams = [] } = await clients.logs.send(new DescribeLogStreamsCommand({ logGroupName }));
    const [stream] = logStreams;
    const { events = [] } = await clients.logs.send(
      new GetLogEventsCommand({ logGroupName, logStreamName: stream?.logStreamName, startFromHead: true }),
    );
    return events.length;
  } catch (failure) {
    if (failure instanceof Error && failure.name === "ResourceNotFoundException") return 0;
    throw failure;
  }
}

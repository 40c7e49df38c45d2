import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CreateThingGroupCommand, AddThingToThingGroupCommand } from "@aws-sdk/client-iot";
import { CreateDeploymentCommand, GreengrassV2Client } from "@aws-sdk/client-greengrassv2";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { componentNames } from "@coalmine/contract";
import { systemClock as clock } from "@coalmine/runtime/system-clock";
import { ownRelease, type OwnRelease } from "../../cli/simulate/own-release.ts";
import { names } from "../../infra/identity/identity.ts";
import { BuildManifest } from "../../pipeline/build/build-manifest.ts";
import { publish } from "../../pipeline/publish/publish.ts";
import { installedComponents } from "../../simulator/fleet/process/installed-components.ts";
import { PROCESS_DEVICES_MAX, ProcessFleet } from "../../simulator/fleet/process/process-fleet.ts";
import { memoryOfTree, treeOf } from "../../simulator/fleet/process/process-tree.ts";
import { coreDevice } from "../../test/artifacts-setup.ts";
import { place, startLocalRegion } from "../../test/local-region.ts";
import { commissionIn } from "../../test/on-this-machine.ts";
import { cpuSeconds } from "../cpu.ts";
import { atMost, median, type Metrics, ratio, ROUNDS } from "../measure.ts";

const DEVICES = Number(process.env["COALMINE_BENCH_PROCESS_DEVICES"] ?? PROCESS_DEVICES_MAX);
const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const RUNNING_MS = 300_000;
const ROUND_MS = 60_000;
const PERIOD_SECONDS = 10;
const buckets = { artifacts: "coalmine-artifacts", lake: "coalmine-lake" };
const root = dirname(dirname(import.meta.dirname));
const groups = ["bench-one", "bench-other"] as const;

/**
 * A fleet of process devices: how soon all run, what they take, and what a thousand readings cost with the candidate and
 * with what runs now. Half of the devices have the one release and half the other, in the same minutes; then they change.
 */
export async function processFleet(folder: string, say: (sentence: string) => void): Promise<Metrics> {
  const built = BuildManifest.parse(JSON.parse(await readFile(join(root, "dist/build.json"), "utf8")));
  const running = await ownRelease(join(folder, "running"), { dist: join(root, "dist"), manifest: built });
  const own = built.components.filter(({ kind }) => kind === "component");
  const raised = Object.fromEntries(
    own.map(({ component, version }) => [
      component,
      version.replace(/\d+$/, (patch) => String(Number(patch) + 1)),
    ]),
  );
  const candidate = await ownRelease(
    join(folder, "candidate"),
    { dist: join(root, "dist"), manifest: built },
    raised,
  );
  const region = await startLocalRegion(join(folder, "cloud"));
  const { settings, cloud } = region;
  const clients = {
    s3: new S3Client({ ...settings, forcePathStyle: true }),
    greengrass: new GreengrassV2Client(settings),
  };
  let fleet: ProcessFleet | undefined;
  try {
    for (const Bucket of Object.values(buckets)) await clients.s3.send(new CreateBucketCommand({ Bucket }));
    const target = {
      name: "home",
      region: place.region,
      endpoint: cloud.endpoint,
      artifactBucket: buckets.artifacts,
      lakeBucket: buckets.lake,
      canaryGroup: names.canaryGroup,
      mainGroup: names.mainGroup,
    };
    for (const { dist, manifest } of [running, candidate])
      await publish(dist, manifest, target, {
        ...clients,
        clock,
        pause: () => clock.sleep(200),
        accountId: place.accountId,
      });
    for (const thingGroupName of groups)
      await region.iot.send(new CreateThingGroupCommand({ thingGroupName }));
    say(`${DEVICES} process devices, from the first process to the last component RUNNING`);
    const devices = Array.from({ length: DEVICES }, (_, index) => `b${index + 1}`);
    const begun = clock.monotonicMs();
    fleet = await ProcessFleet.start({
      folder: join(folder, "f"),
      devices,
      clock,
      seed: "bench",
      periodSeconds: PERIOD_SECONDS,
      pointIntervalMs: 100,
      endpoint: cloud.endpoint,
      node: process.execPath,
      coreDevice,
      commissionDevice: async (site) => {
        await commissionIn(region, folder, site);
        await region.iot.send(
          new AddThingToThingGroupCommand({
            thingName: site.name,
            thingGroupName: groups[devices.indexOf(site.name) % 2],
          }),
        );
      },
      installedComponents: (thing) => installedComponents(clients.greengrass, thing),
    });
    const deploy = (group: string, { manifest }: OwnRelease) =>
      clients.greengrass.send(new CreateDeploymentCommand(deploymentOf(group, manifest)));
    const all = Object.values(componentNames);
    for (const group of groups) await deploy(group, running);
    await fleet.waitUntilRunning(all, RUNNING_MS);
    const startSeconds = (clock.monotonicMs() - begun) / 1000;
    await clock.sleep(ROUND_MS);
    const { pssBytes } = await fleet.memory();

    const figures = { candidate: [] as Cost[], running: [] as Cost[] };
    for (let round = 0; round < ROUNDS; round++) {
      const [one, other] = round % 2 === 0 ? [candidate, running] : [running, candidate];
      say(`round ${round + 1} of ${ROUNDS}: a minute with half of the devices on each release`);
      await deploy(groups[0], one);
      await deploy(groups[1], other);
      await clock.sleep(ROUND_MS / 2);
      await fleet.waitUntilRunning(all, RUNNING_MS);
      const [first, second] = await costs(fleet);
      figures[one === candidate ? "candidate" : "running"].push(first);
      figures[one === candidate ? "running" : "candidate"].push(second);
    }
    const of = (name: keyof typeof figures, cost: keyof Cost) => figures[name].map((each) => each[cost]);
    return {
      [`${DEVICES} process devices, all RUNNING`]: atMost(startSeconds, "s", 60),
      "their memory": atMost(pssBytes / GIB, "GiB", 6),
      "processor time per 1,000 readings, candidate": {
        value: median(of("candidate", "seconds")),
        unit: "s",
      },
      "processor time per 1,000 readings, running": { value: median(of("running", "seconds")), unit: "s" },
      "processor time, candidate to running": {
        value: ratio(of("candidate", "seconds"), of("running", "seconds")),
        unit: "",
      },
      "memory of a device, candidate": { value: median(of("candidate", "bytes")) / MIB, unit: "MiB" },
      "memory of a device, running": { value: median(of("running", "bytes")) / MIB, unit: "MiB" },
      "memory, candidate to running": {
        value: ratio(of("candidate", "bytes"), of("running", "bytes")),
        unit: "",
      },
    };
  } finally {
    await fleet?.stop();
    await cloud.close();
  }
}

interface Cost {
  /** Of the processor, per 1,000 readings. */
  readonly seconds: number;
  /** Of one device, in the mean. */
  readonly bytes: number;
}

/** What each half of the fleet takes in the next round. */
async function costs(fleet: ProcessFleet): Promise<readonly [Cost, Cost]> {
  const halves = [0, 1].map((half) => fleet.devices.filter((_, index) => index % 2 === half));
  const trees = await Promise.all(
    fleet.devices.map(async ({ process: { pid } }) => (pid === undefined ? [] : treeOf(pid))),
  );
  const spent = () =>
    halves.map((_, half) =>
      sum(
        trees
          .filter((__, index) => index % 2 === half)
          .flat()
          .map(secondsOf),
      ),
    );
  const before = spent();
  const readingsBefore = await readingsOf(fleet, halves);
  await clock.sleep(ROUND_MS);
  const after = spent();
  const readings = await readingsOf(fleet, halves);
  const costOf = async (half: number): Promise<Cost> => {
    const measured = (readings[half] ?? 0) - (readingsBefore[half] ?? 0);
    const pids = (halves[half] ?? []).flatMap(({ process: { pid } }) => (pid === undefined ? [] : [pid]));
    const memory = await Promise.all(pids.map((pid) => memoryOfTree(pid)));
    return {
      seconds: (1000 * ((after[half] ?? 0) - (before[half] ?? 0))) / measured,
      bytes: sum(memory.map(({ pssBytes }) => pssBytes)) / pids.length,
    };
  };
  return [await costOf(0), await costOf(1)];
}

async function readingsOf(
  fleet: ProcessFleet,
  halves: readonly ProcessFleet["devices"][],
): Promise<number[]> {
  const sent = await fleet.sentReadings();
  return halves.map((half) => sum(half.map(({ site }) => sent.get(site.instrument)?.length ?? 0)));
}

function secondsOf(pid: number): number {
  try {
    return cpuSeconds(pid);
  } catch {
    // It has ended: what it spent is its parent's now, and counted there only when waited for.
    return 0;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function deploymentOf(group: string, manifest: BuildManifest) {
  const versionOf = (name: string): string =>
    manifest.components.find(({ component }) => component === name)?.version ?? "";
  const merges: Readonly<Record<string, object>> = {
    [componentNames.streamUploader]: { bucket: buckets.lake },
    [componentNames.sensorReader]: { ports: "all" },
  };
  return {
    targetArn: `arn:aws:iot:${place.region}:${place.accountId}:thinggroup/${group}`,
    deploymentName: group,
    components: Object.fromEntries(
      manifest.components.map(({ component }) => [
        component,
        {
          componentVersion: versionOf(component),
          ...(merges[component] === undefined
            ? {}
            : { configurationUpdate: { merge: JSON.stringify(merges[component]) } }),
        },
      ]),
    ),
  };
}

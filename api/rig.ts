import {
  CreatePipelineCommand,
  GetPipelineExecutionCommand,
  StartPipelineExecutionCommand,
} from "@aws-sdk/client-codepipeline";
import { CreateComponentVersionCommand, ListDeploymentsCommand } from "@aws-sdk/client-greengrassv2";
import { AddThingToThingGroupCommand, CreateThingCommand } from "@aws-sdk/client-iot";
import { CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { componentNames } from "@coalmine/contract";
import { invariant, silentLog, type Closing, type DrivenClock } from "@coalmine/runtime";
import { Controller, type ControllerOptions, type Tick } from "../pipeline/controller/controller.ts";
import type { Notice } from "../pipeline/controller/deeds.ts";
import { membersOf } from "../pipeline/controller/fleet.ts";
import { installFirst } from "../pipeline/controller/install-first.ts";
import { KeptDocuments } from "../pipeline/controller/kept.ts";
import { closeRegion, groupArn, openRegion, type Region } from "../pipeline/controller/region.ts";
import { RolloutLog } from "../pipeline/controller/rollout-log.ts";
import { targetTime, type TargetTime } from "../pipeline/controller/target-time.ts";
import { declaration, PIPELINE_NAME } from "../pipeline/definition.ts";
import { EvidenceStore } from "../pipeline/evidence/evidence-store.ts";
import { cloudWitness, heartbeatHandler, type SeenEvent } from "../pipeline/evidence/handlers.ts";
import { releaseKey, ReleaseManifest } from "../pipeline/release.ts";
import type { Target } from "../pipeline/target.ts";
import type { Api } from "./api.ts";
import { promote } from "./decide.ts";
import { ScriptedDevice, shortPolicy, type Behaviour, type FleetCloud } from "./scripted-fleet.ts";

/**
 * A rollout's whole surroundings, for tests: regions with scripted devices, a pipeline, a controller. The clouds are
 * handed in by the test, which alone may know the simulator.
 */

export const ACCOUNT = "123456789012";
/** The commit whose release is installed at first: version 1.0.0. */
export const GOOD = "1111111aaaaa";

/** A cloud as a test starts it: on loopback, on a driven clock. */
export interface RigCloud {
  readonly region: string;
  readonly endpoint: string;
  /** Of the control API; its token is `token`. */
  readonly controlUrl: string;
  readonly clock: DrivenClock;
  readonly recipe: (component: string, version: string) => string;
  readonly onEvent: (listener: (event: { readonly kind: string }) => void) => void;
  readonly fleet: FleetCloud;
}

export type StartCloud = (name: string, region: string) => Promise<RigCloud>;

export interface LocalRegion {
  readonly region: Region;
  readonly clock: DrivenClock;
  readonly devices: ScriptedDevice[];
}

async function startRegion(
  name: "home" | "driven",
  cloud: RigCloud,
  deviceCount: number,
  behaviour: Behaviour,
  closing: Closing,
): Promise<LocalRegion> {
  const { clock } = cloud;
  const target: Target = {
    name,
    region: cloud.region,
    endpoint: cloud.endpoint,
    artifactBucket: `artifacts-${name}`,
    lakeBucket: `lake-${name}`,
    canaryGroup: "coalmine-canary",
    mainGroup: "coalmine-main",
    ...(name === "driven" ? { controlUrl: cloud.controlUrl } : {}),
  };
  const region = closing.add(openRegion(target, ACCOUNT), closeRegion);
  await region.s3.send(new CreateBucketCommand({ Bucket: target.artifactBucket }));
  const store = new EvidenceStore(region.dynamodb, name);
  await store.ensure(clock);
  const devices: ScriptedDevice[] = [];
  const put = (row: Parameters<typeof store.put>[0]): Promise<void> => store.put(row);
  const [takeHeartbeat, takeEvent] = [heartbeatHandler(put, silentLog), cloudWitness(put)];
  cloud.onEvent((event) => {
    if (!isSeen(event)) return;
    // The clock waits for rows that are on their way.
    const handled = clock.busy();
    const isHeartbeat = event.kind === "mqtt-message" && event.topic.endsWith("/heartbeat");
    void (isHeartbeat ? takeHeartbeat(event.topic, event.payload, event.at) : takeEvent(event)).finally(
      handled,
    );
    if (event.kind === "job-execution")
      devices.find(({ thing }) => thing === event.thingName)?.hear(event.jobId, event.status);
  });
  for (const version of ["1.0.0", "1.0.1"])
    for (const component of [componentNames.inference, componentNames.sensorReader])
      await region.greengrass.send(
        new CreateComponentVersionCommand({ inlineRecipe: Buffer.from(cloud.recipe(component, version)) }),
      );
  await clock.runUntil(clock.now() + 10_000);
  await installFirst([region], releaseOfVersion(GOOD, "1.0.0"), "ada", clock);
  for (let index = 0; index < deviceCount; index++) {
    const thingName = `${name}-${index}`;
    await region.iot.send(new CreateThingCommand({ thingName }));
    devices.push(new ScriptedDevice(thingName, cloud.fleet, behaviour));
    await region.iot.send(new AddThingToThingGroupCommand({ thingName, thingGroupName: target.mainGroup }));
  }
  await clock.runUntil(clock.now() + 5 * 60_000);
  invariant(
    devices.every(({ version }) => version === "1.0.0"),
    "not every device has the first release",
  );
  return { region, clock, devices };
}

function isSeen(event: { readonly kind: string }): event is SeenEvent {
  return ["mqtt-message", "mqtt-connection", "job-execution"].includes(event.kind);
}

function releaseOfVersion(commit: string, version: string): ReleaseManifest {
  return ReleaseManifest.parse({
    version: 1,
    commit,
    components: { [componentNames.inference]: version, [componentNames.sensorReader]: "1.0.0" },
  });
}

export interface Rig {
  readonly home: LocalRegion;
  readonly regions: readonly LocalRegion[];
  readonly api: Api;
  readonly notices: Notice[];
  readonly time: TargetTime;
  readonly options: ControllerOptions;
  readonly controller: () => Controller;
  /** Gives the execution. */
  readonly push: (commit: string, release: string | object) => Promise<string>;
  readonly executionStatus: (id: string) => Promise<string | undefined>;
  /** Version of inference → devices. */
  readonly versions: () => Record<string, number>;
}

export async function startRig(
  startCloud: StartCloud,
  closing: Closing,
  sizes: { readonly home: number; readonly driven?: number },
  behaviour: Behaviour = {},
  policy = shortPolicy,
): Promise<Rig> {
  const home = await startRegion(
    "home",
    await startCloud("home", "us-east-1"),
    sizes.home,
    behaviour,
    closing,
  );
  const driven =
    sizes.driven === undefined
      ? []
      : [
          await startRegion(
            "driven",
            await startCloud("driven", "eu-west-1"),
            sizes.driven,
            behaviour,
            closing,
          ),
        ];
  const { region, clock } = home;
  const notices: Notice[] = [];
  // Whenever somebody sleeps at home, its world goes on.
  const homeClock = {
    now: () => clock.now(),
    monotonicMs: () => clock.monotonicMs(),
    timer: (ms: number, fire: () => void) => clock.timer(ms, fire),
    sleep: async (ms: number) => {
      await clock.runUntil(clock.now() + ms);
      // The other region runs at the same time, and needs some of it.
      await new Promise((resolve) => void setTimeout(resolve, 100));
    },
  };
  const time = targetTime({ clock: homeClock, controlTokens: { driven: "token" }, tickMs: 180_000 });
  const options: ControllerOptions = {
    regions: [region, ...driven.map((one) => one.region)],
    pipeline: PIPELINE_NAME,
    policy,
    time,
    clock: homeClock,
    newSeed: () => "a seed that nobody can guess",
    notify: (notice) => Promise.resolve(void notices.push(notice)),
    log: silentLog,
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the definition says it in CodePipeline's own words.
  const pipeline = declaration("main", "QUEUED") as { name: string; stages: [] };
  const roleArn = `arn:aws:iam::${ACCOUNT}:role/pipeline`;
  await region.codepipeline.send(new CreatePipelineCommand({ pipeline: { roleArn, ...pipeline } }));
  const log = new RolloutLog(region.dynamodb, homeClock);
  await log.ensure();
  const targets = options.regions.map(({ target }) => target);
  return {
    home,
    regions: [home, ...driven],
    notices,
    time,
    options,
    api: { log, kept: new KeptDocuments(region.s3, region.target.artifactBucket), targets, time },
    controller: () => new Controller(options),
    push: async (commit, release) => {
      const Body = JSON.stringify(typeof release === "string" ? releaseOfVersion(commit, release) : release);
      const Bucket = region.target.artifactBucket;
      await region.s3.send(new PutObjectCommand({ Bucket, Key: releaseKey(commit), Body }));
      const revision = { actionName: "Push", revisionType: "COMMIT_ID" as const, revisionValue: commit };
      const { pipelineExecutionId = "" } = await region.codepipeline.send(
        new StartPipelineExecutionCommand({ name: PIPELINE_NAME, sourceRevisions: [revision] }),
      );
      await clock.runUntil(clock.now() + 1000);
      return pipelineExecutionId;
    },
    executionStatus: async (pipelineExecutionId) => {
      const { pipelineExecution } = await region.codepipeline.send(
        new GetPipelineExecutionCommand({ pipelineName: PIPELINE_NAME, pipelineExecutionId }),
      );
      return pipelineExecution?.status;
    },
    versions: () => {
      const counts: Record<string, number> = {};
      for (const { version } of [home, ...driven].flatMap(({ devices }) => devices))
        counts[version] = (counts[version] ?? 0) + 1;
      return counts;
    },
  };
}

const TICKS_MAX = 600;

/** Ticks until nothing is left to do, and promotes when asked to. `tick` gives undefined where its controller died. */
export async function play(rig: Rig, tick: () => Promise<Tick | undefined>): Promise<string> {
  for (let index = 0; index < TICKS_MAX; index++) {
    const told = await tick();
    if (told === undefined || told.moved) continue;
    if (told.rollout === undefined) return (await rig.api.log.list(1))[0]?.rollout ?? "";
    if (told.phase === "awaitingPromotion")
      await promote(rig.api, { rollout: told.rollout, who: "ada", reason: "looks well" });
    for (const wait of told.waits) {
      const target = rig.api.targets.find(({ name }) => name === wait.target);
      if (target?.controlUrl === undefined)
        await rig.home.clock.runUntil(Math.min(wait.timeMs, rig.home.clock.now() + 180_000));
      else if (wait.drive) await rig.time.waitUntil(target, wait.timeMs, new AbortController().signal);
    }
  }
  throw new Error(`the rollout does not end within ${TICKS_MAX} ticks`);
}

/** Everything that rollouts leave behind at home, but for ids and times. */
export async function traces(rig: Rig): Promise<object> {
  const { region } = rig.home;
  const of = async (group: string): Promise<object> => {
    const { deployments = [] } = await region.greengrass.send(
      new ListDeploymentsCommand({ targetArn: groupArn(region, group), historyFilter: "ALL" }),
    );
    const names = deployments.map(({ deploymentName = "" }) => deploymentName.replace(/^\w+-\w+\//, ""));
    return { revisions: names, members: await membersOf(region, group) };
  };
  const { canaryGroup, mainGroup } = region.target;
  return { versions: rig.versions(), canary: await of(canaryGroup), main: await of(mainGroup) };
}

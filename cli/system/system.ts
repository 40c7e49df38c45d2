import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { readFileSync } from "node:fs";
import { componentNames } from "@coalmine/contract";
import { Closing, jsonLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { Controller } from "../../pipeline/controller/controller.ts";
import { installFirst } from "../../pipeline/controller/install-first.ts";
import { closeRegion, type Region } from "../../pipeline/controller/region.ts";
import { type TargetTime, targetTime } from "../../pipeline/controller/target-time.ts";
import type { BuildManifest } from "../../pipeline/build/build-manifest.ts";
import { PIPELINE_NAME } from "../../pipeline/definition.ts";
import { publishRelease } from "../../pipeline/publish/publish-release.ts";
import { git } from "../../pipeline/push/repository.ts";
import { signersOf } from "../../pipeline/supply/signers.ts";
import { names } from "../../infra/identity/identity.ts";
import type { Target } from "../../pipeline/target.ts";
import type { ProcessFleet } from "../../simulator/fleet/process/process-fleet.ts";
import { ofThisMachine, openRegions } from "../asked/asked.ts";
import { growOld, type Aging } from "./aging.ts";
import { endCutOff } from "./cut-off.ts";
import { DRIVEN, startDrivenRegion, type DrivenRegion } from "./driven-region.ts";
import { buckets, HOME, startHomeRegion, type HomeRegion } from "./home-region.ts";
import { startProcessDevices } from "./process-devices.ts";
import { recordEvidence } from "./record-evidence.ts";
import { buildCheckout } from "./release.ts";
import { environmentOf, forgetRunning, writeRunning, type Places, type RunningSystem } from "./state.ts";

export interface SystemOptions {
  readonly at: Places;
  readonly processDevices: number;
  readonly hostedDevices: number;
  readonly seed: string;
  readonly say: (sentence: string) => void;
  /** One JSON line an event, for whoever looks closer. */
  readonly logLine: (line: string) => void;
}

export interface System {
  readonly home: HomeRegion;
  readonly driven: DrivenRegion;
  readonly aging: Aging;
  readonly regions: readonly [Region, ...Region[]];
  readonly running: RunningSystem;
  readonly fleet: ProcessFleet;
  stop(): Promise<void>;
}

const TICK_MS = 1000;
const PROCESS_RUNNING_MS_MAX = 120_000;

/** What the process devices do more often than their recipes say, so that a short run sees it. */
const homeConfiguration = {
  [componentNames.streamUploader]: { flushIntervalSeconds: 5, healthIntervalSeconds: 10 },
  [componentNames.sensorReader]: { batchSeconds: 1, healthIntervalSeconds: 10 },
  [componentNames.inference]: { healthIntervalSeconds: 10 },
  [componentNames.logManager]: { periodicUploadIntervalSec: 10, healthIntervalSeconds: 10 },
};

/** Fifty devices' lines go out twice an hour: nobody watches them as they are written. */
export const drivenConfiguration = {
  [componentNames.logManager]: { liveTail: false, periodicUploadIntervalSec: 1800 },
};

/** Brings everything up on this machine: both regions, fleets with the current release, and the rollout controller. */
export async function startSystem(options: SystemOptions): Promise<System> {
  const { at, say } = options;
  const ended = await endCutOff(at);
  if (ended !== undefined)
    say(
      `the last system was cut off; ${ended} of its processes were still there and are ended, and this one takes up its state`,
    );
  const closing = new Closing();
  const building = closing.add(new AbortController(), (one) => one.abort(new Error("the system stops")));
  // Longest of all, and nothing is needed for it: fleets wait for what it makes.
  const built = buildCheckout(at.root, at.cache, building.signal);
  // It is awaited when there is somewhere to publish it.
  built.catch(() => undefined);
  try {
    const log = jsonLog("system", systemClock, options.logLine);
    let running: RunningSystem | undefined;
    const home = closing.add(
      await startHomeRegion(at, log, () => (running === undefined ? {} : environmentOf(running))),
      (region) => region.close(),
    );
    say(`the home region ${HOME.region} listens at ${home.cloud.endpoint}`);
    const heard = recordEvidence(home.cloud.cloud, HOME.name, log);
    home.cloud.cloud.events.on((event) => {
      if (event.kind === "mqtt-message") heard(event.topic, event.payload, event.at);
    });
    const driven = closing.add(
      await startDrivenRegion(at, options.hostedDevices, options.seed, home.secrets),
      (region) => region.stop(),
    );
    say(
      `the driven region ${DRIVEN.region} stands at ${new Date(driven.where.now).toISOString()} with ${driven.where.devices.length} hosted devices`,
    );
    running = runningSystem(at, home, driven);
    writeRunning(at, running);
    closing.add(at, forgetRunning);
    const regions = openRegions(ofThisMachine(running));
    closing.add(regions, (open) => open.forEach(closeRegion));

    const time = targetTime({ clock: systemClock, controlTokens: running.controlTokens, tickMs: TICK_MS });
    const devices = Array.from(
      { length: options.processDevices },
      (_, index) => `core-${String(index + 1).padStart(2, "0")}`,
    );
    // Devices are commissioned, and come on with nothing to run yet, while this checkout is built.
    const coming = startProcessDevices(at, home, devices, say).then((started) =>
      closing.add(started, () => started.stop()),
    );
    const installed = installCurrent(options, built, regions, time).then(() => growOld(driven, systemClock));
    // What is half-way there has to be whole before it can be closed.
    await Promise.allSettled([coming, installed]);
    const aging = await installed;
    const fleet = await coming;
    await fleet.waitUntilRunning(Object.values(componentNames), PROCESS_RUNNING_MS_MAX);
    await aging.installed;
    say(`${devices.length} process devices run all components`);

    const stop = new AbortController();
    const controller = new Controller({
      regions,
      pipeline: PIPELINE_NAME,
      policy: readFileSync(join(at.root, "pipeline/policy.yaml"), "utf8"),
      time,
      clock: systemClock,
      newSeed: () => randomBytes(16).toString("hex"),
      notify: async (notice) => say(`notice: ${JSON.stringify(notice)}`),
      log,
      signers: signersOf(process.env),
    });
    const controlling = controller.run(stop.signal);
    home.cloud.cloud.events.on((event) => {
      const reported = event.kind === "shadow-changed" && event.reported !== undefined;
      if (event.kind === "job-execution" || reported) controller.hint();
    });
    closing.add(stop, async () => {
      stop.abort(new Error("the system stops"));
      await controlling;
    });
    for (const resumed of home.resume()) say(`resumed: ${resumed}`);
    writeRunning(at, { ...running, isUp: true });
    return { home, driven, aging, regions, running, fleet, stop: () => closing.close() };
  } catch (failure) {
    await closing.close();
    throw failure;
  }
}

async function installCurrent(
  { at, say }: SystemOptions,
  built: Promise<BuildManifest>,
  regions: readonly [Region, ...Region[]],
  time: TargetTime,
): Promise<void> {
  const manifest = await built;
  say(
    `this checkout is built: ${manifest.components.map(({ component, version }) => `${component.replace("coalmine.", "")} ${version}`).join(", ")}`,
  );
  const commit = git(at.root, "rev-parse", "HEAD");
  const { release } = await publishRelease(at.root, manifest, commit, regions, time);
  const installed = await installFirst(regions, release, "coalmine up", systemClock, {
    configuration: { [HOME.name]: homeConfiguration, [DRIVEN.name]: drivenConfiguration },
    signers: signersOf(process.env),
  });
  say(
    installed.some(({ how }) => how === "created")
      ? "the current release is published and deployed to both fleets"
      : "both fleets have a release already",
  );
}

function runningSystem(at: Places, home: HomeRegion, driven: DrivenRegion): RunningSystem {
  const target = (name: string, region: string, endpoint: string): Target => ({
    name,
    region,
    endpoint,
    artifactBucket: buckets(region).artifacts,
    lakeBucket: buckets(region).lake,
    canaryGroup: names.canaryGroup,
    mainGroup: names.mainGroup,
  });
  return {
    pid: process.pid,
    isUp: false,
    targets: [
      target(HOME.name, HOME.region, home.cloud.endpoint),
      { ...target(DRIVEN.name, DRIVEN.region, driven.where.endpoint), controlUrl: driven.where.controlUrl },
    ],
    repository: at.repository,
    accessKeyId: home.secrets.accessKeyId,
    secretAccessKey: home.secrets.secretAccessKey,
    controlTokens: { [DRIVEN.name]: driven.where.controlToken },
  };
}

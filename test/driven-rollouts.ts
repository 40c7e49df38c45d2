import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  CodePipelineClient,
  CreatePipelineCommand,
  StartPipelineExecutionCommand,
} from "@aws-sdk/client-codepipeline";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { type Closing, silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import type { Api } from "../api/api.ts";
import { ACCOUNT } from "../api/rig.ts";
import { DRIVEN, startDrivenRegion, type DrivenRegion } from "../cli/system/driven-region.ts";
import { buckets } from "../cli/system/home-region.ts";
import { places } from "../cli/system/state.ts";
import { names } from "../infra/identity/identity.ts";
import { Controller, type Tick } from "../pipeline/controller/controller.ts";
import { installFirst } from "../pipeline/controller/install-first.ts";
import { KeptDocuments } from "../pipeline/controller/kept.ts";
import { closeRegion, openRegion, type Region } from "../pipeline/controller/region.ts";
import { RolloutLog } from "../pipeline/controller/rollout-log.ts";
import { targetTime } from "../pipeline/controller/target-time.ts";
import { declaration, PIPELINE_NAME } from "../pipeline/definition.ts";
import { pauseIn, publish } from "../pipeline/publish/publish.ts";
import { releaseKey, releaseOf, type ReleaseManifest } from "../pipeline/release.ts";
import type { Target } from "../pipeline/target.ts";
import { operator } from "../simulator/cloud/protocol/test-cloud.ts";
import type { OwnRelease } from "./own-release.ts";
import { startCloud } from "./rig-cloud.ts";

const root = dirname(import.meta.dirname);
/** Of no use anywhere else. */
const secrets = {
  accessKeyId: "AKIADRIVENROLLOUTS00",
  secretAccessKey: "a secret of these tests alone",
  controlToken: "a token of these tests alone",
};

const STEP_MS_MIN = 15_000;
const STEPS_MAX = 100;

/** A device as the control API's status has it. */
export interface SeenDevice {
  readonly thing: string;
  readonly power: boolean;
  readonly online: boolean;
  readonly components: readonly { readonly name: string; readonly version: string; readonly state: string }[];
}

/** Hosted devices in a driven region of their own, under the real controller; the pipeline is in a small cloud beside it. */
export interface DrivenRollouts {
  readonly driven: DrivenRegion;
  readonly region: Region;
  readonly api: Api;
  /** Puts versions into the region, and says what a push of them would bring. */
  readonly publish: (release: OwnRelease, commit: string) => Promise<ReleaseManifest>;
  readonly install: (release: ReleaseManifest) => Promise<void>;
  readonly push: (commit: string) => Promise<void>;
  /** One pass of the controller, and the pipeline's turn after it. */
  readonly tick: () => Promise<Tick>;
  readonly now: () => Promise<number>;
  readonly runUntil: (timeMs: number) => Promise<void>;
  readonly devices: () => Promise<readonly SeenDevice[]>;
  /** False where the device has no such component running, or no power. */
  readonly fault: (fault: object) => Promise<boolean>;
}

export async function startDrivenRollouts(
  closing: Closing,
  folder: string,
  options: { readonly devices: number; readonly policy: string; readonly seed: string },
): Promise<DrivenRollouts> {
  process.env["AWS_ACCESS_KEY_ID"] = secrets.accessKeyId;
  process.env["AWS_SECRET_ACCESS_KEY"] = secrets.secretAccessKey;
  const beside = await startCloud(closing, "home", "us-east-1");
  const codepipeline = new CodePipelineClient({
    region: beside.region,
    endpoint: beside.endpoint,
    credentials: operator,
  });
  closing.add(codepipeline, () => codepipeline.destroy());
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the definition says it in CodePipeline's own words.
  const pipeline = declaration("main", "QUEUED") as { name: string; stages: [] };
  const roleArn = `arn:aws:iam::${ACCOUNT}:role/pipeline`;
  await codepipeline.send(new CreatePipelineCommand({ pipeline: { roleArn, ...pipeline } }));

  const at = places(root, { COALMINE_STATE: folder });
  mkdirSync(at.state, { recursive: true });
  const driven = closing.add(await startDrivenRegion(at, options.devices, options.seed, secrets), (started) =>
    started.stop(),
  );
  const { artifacts, lake } = buckets(DRIVEN.region);
  const target: Target = {
    ...DRIVEN,
    endpoint: driven.where.endpoint,
    controlUrl: driven.where.controlUrl,
    artifactBucket: artifacts,
    lakeBucket: lake,
    canaryGroup: names.canaryGroup,
    mainGroup: names.mainGroup,
  };
  const region: Region = closing.add({ ...openRegion(target, ACCOUNT), codepipeline }, closeRegion);
  const time = targetTime({
    clock: systemClock,
    controlTokens: { [DRIVEN.name]: secrets.controlToken },
    tickMs: 1000,
  });
  const controller = new Controller({
    regions: [region],
    pipeline: PIPELINE_NAME,
    policy: options.policy,
    time,
    clock: systemClock,
    newSeed: () => options.seed,
    notify: () => Promise.resolve(),
    log: silentLog,
  });
  const log = new RolloutLog(region.dynamodb, systemClock);
  await log.ensure();
  const turn = () => beside.clock.runUntil(beside.clock.now() + 1000);
  return {
    driven,
    region,
    api: { log, kept: new KeptDocuments(region.s3, artifacts), targets: [target], time },
    publish: async ({ dist, manifest }, commit) => {
      const ports = { ...region, clock: systemClock, pause: pauseIn(target, time) };
      await publish(dist, manifest, target, ports);
      const model: unknown = JSON.parse(
        readFileSync(join(root, "models/blood-viscosity/manifest.json"), "utf8"),
      );
      const release = releaseOf(manifest, [model], commit, { policy: options.policy });
      const Body = JSON.stringify(release);
      await region.s3.send(new PutObjectCommand({ Bucket: artifacts, Key: releaseKey(commit), Body }));
      return release;
    },
    install: async (release) => void (await installFirst([region], release, "a test", systemClock)),
    push: async (commit) => {
      const revision = { actionName: "Push", revisionType: "COMMIT_ID" as const, revisionValue: commit };
      await codepipeline.send(
        new StartPipelineExecutionCommand({ name: PIPELINE_NAME, sourceRevisions: [revision] }),
      );
      await turn();
    },
    tick: async () => {
      const tick = await controller.tick();
      await turn();
      return tick;
    },
    now: () => time.now(target),
    runUntil: async (timeMs) => {
      let now = await time.now(target);
      // A thousand devices that install take minutes of ours, which is longer than a request waits.
      const stepMs = Math.max(STEP_MS_MIN, (timeMs - now) / STEPS_MAX);
      while (now < timeMs) {
        now = Math.min(timeMs, now + stepMs);
        await driven.control("run-until", { time: now });
      }
    },
    devices: async () => ((await driven.control("status", {})) as { devices: SeenDevice[] }).devices,
    fault: (fault) =>
      driven.control("fault", fault).then(
        () => true,
        () => false,
      ),
  };
}

import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  CodePipelineClient,
  CreatePipelineCommand,
  StartPipelineExecutionCommand,
} from "@aws-sdk/client-codepipeline";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { type Closing, silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import type { Api } from "../../api/api.ts";
import { names } from "../../infra/identity/identity.ts";
import { Controller, type Tick } from "../../pipeline/controller/controller.ts";
import { installFirst } from "../../pipeline/controller/install-first.ts";
import { KeptDocuments } from "../../pipeline/controller/kept.ts";
import { closeRegion, openRegion, type Region } from "../../pipeline/controller/region.ts";
import { RolloutLog } from "../../pipeline/controller/rollout-log.ts";
import { targetTime } from "../../pipeline/controller/target-time.ts";
import { declaration, PIPELINE_NAME } from "../../pipeline/definition.ts";
import { pauseIn, publish } from "../../pipeline/publish/publish.ts";
import { releaseKey, releaseOf, type ReleaseManifest } from "../../pipeline/release.ts";
import type { Target } from "../../pipeline/target.ts";
import { DRIVEN, startDrivenRegion, type DrivenRegion } from "../system/driven-region.ts";
import { buckets, HOME, type Secrets } from "../system/home-region.ts";
import type { Places } from "../system/state.ts";
import { drivenConfiguration } from "../system/system.ts";
import type { OwnRelease } from "./own-release.ts";
import { startPipelineCloud } from "./pipeline-cloud.ts";

/** Of clouds on loopback that end with this process; of no use anywhere else. */
const ownSecrets: Secrets = {
  accessKeyId: "AKIADRIVENROLLOUTS00",
  secretAccessKey: "a secret of driven rollouts alone",
  controlToken: "a token of driven rollouts alone",
};
/** Nothing of the person's own account may leak in. */
const environmentOf = ({ accessKeyId, secretAccessKey }: Secrets) => ({
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  AWS_PROFILE: "",
  AWS_SESSION_TOKEN: "",
  AWS_EC2_METADATA_DISABLED: "true",
});
/** Where the pipeline's clock begins: a time of its own, so that nothing hangs on this machine's. */
const PIPELINE_START_MS = Date.parse("2030-01-01T00:00:00Z");
const TURN_MS = 1000;

/** The pipeline that a push starts, and where it runs. */
export interface PipelineBeside {
  readonly secrets: Secrets;
  readonly codepipeline: CodePipelineClient;
  /** What stands otherwise goes on. */
  readonly turn: () => Promise<void>;
}

/** Hosted devices in a driven region of their own, under the real controller; the pipeline is beside it. */
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
}

export interface DrivenRolloutsOptions {
  readonly devices: number;
  readonly policy: string;
  readonly seed: string;
  /** A small one of their own where none is given. */
  readonly beside?: PipelineBeside;
}

export async function startDrivenRollouts(
  closing: Closing,
  at: Places,
  options: DrivenRolloutsOptions,
): Promise<DrivenRollouts> {
  const { policy, seed } = options;
  const { secrets, codepipeline, turn } = options.beside ?? (await startSmallPipeline(closing, seed));
  Object.assign(process.env, environmentOf(secrets));
  mkdirSync(at.state, { recursive: true });
  const driven = closing.add(await startDrivenRegion(at, options.devices, seed, secrets), (started) =>
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
  const region: Region = closing.add({ ...openRegion(target, HOME.accountId), codepipeline }, closeRegion);
  const time = targetTime({
    clock: systemClock,
    controlTokens: { [DRIVEN.name]: secrets.controlToken },
    tickMs: TURN_MS,
  });
  const controller = new Controller({
    regions: [region],
    pipeline: PIPELINE_NAME,
    policy,
    time,
    clock: systemClock,
    newSeed: () => seed,
    notify: () => Promise.resolve(),
    log: silentLog,
  });
  const log = new RolloutLog(region.dynamodb, systemClock);
  await log.ensure();
  return {
    driven,
    region,
    api: { log, kept: new KeptDocuments(region.s3, artifacts), targets: [target], time },
    publish: async ({ dist, manifest }, commit) => {
      const ports = { ...region, clock: systemClock, pause: pauseIn(target, time) };
      await publish(dist, manifest, target, ports);
      const model: unknown = JSON.parse(
        readFileSync(join(at.root, "models/blood-viscosity/manifest.json"), "utf8"),
      );
      const release = releaseOf(manifest, [model], commit, { policy });
      const Body = JSON.stringify(release);
      await region.s3.send(new PutObjectCommand({ Bucket: artifacts, Key: releaseKey(commit), Body }));
      return release;
    },
    install: async (release) =>
      void (await installFirst([region], release, "a simulation", systemClock, {
        configuration: { [DRIVEN.name]: drivenConfiguration },
      })),
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
  };
}

/** A pipeline whose commands all succeed, in a small cloud whose clock stands between turns. */
async function startSmallPipeline(closing: Closing, seed: string): Promise<PipelineBeside> {
  const place = { region: HOME.region, accountId: HOME.accountId };
  const { clock, endpoint } = await startPipelineCloud(closing, {
    place,
    startMs: PIPELINE_START_MS,
    seed,
    credentials: ownSecrets,
  });
  const codepipeline = closing.add(
    new CodePipelineClient({ region: place.region, endpoint, credentials: ownSecrets }),
    (client) => client.destroy(),
  );
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the definition says it in CodePipeline's own words.
  const pipeline = declaration("main", "QUEUED") as { name: string; stages: [] };
  const roleArn = `arn:aws:iam::${HOME.accountId}:role/pipeline`;
  await codepipeline.send(new CreatePipelineCommand({ pipeline: { roleArn, ...pipeline } }));
  return { secrets: ownSecrets, codepipeline, turn: () => clock.runUntil(clock.now() + TURN_MS) };
}

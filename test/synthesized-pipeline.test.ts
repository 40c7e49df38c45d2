import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  CodePipelineClient,
  CreatePipelineCommand,
  GetPipelineStateCommand,
  PutApprovalResultCommand,
  StartPipelineExecutionCommand,
} from "@aws-sdk/client-codepipeline";
import { GreengrassV2Client, ListComponentsCommand } from "@aws-sdk/client-greengrassv2";
import { CreateBucketCommand, GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { Template } from "aws-cdk-lib/assertions";
import { Closing, silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { systemRandom } from "@coalmine/runtime/system-random";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { app } from "../infra/app.ts";
import { cacheFolder } from "../pipeline/build/cache-folder.ts";
import { PIPELINE_NAME, stages } from "../pipeline/definition.ts";
import { tinyBuild } from "../pipeline/publish/tiny-build.fixture.ts";
import { releaseKey, ReleaseManifest } from "../pipeline/release.ts";
import { keep } from "../pipeline/stages/install.ts";
import { Target } from "../pipeline/target.ts";
import { PipelineEngine } from "../simulator/cloud/codepipeline/engine.ts";
import type { RunAction } from "../simulator/cloud/codepipeline/run-action.ts";
import { runCommands } from "../simulator/cloud/codepipeline/run-commands.ts";
import { codePipelineService } from "../simulator/cloud/codepipeline/service.ts";
import { startCloud, type StartedCloud } from "../simulator/cloud/start-cloud.ts";
import { type SynthesizedPipeline, synthesizedPipeline } from "./synthesized-pipeline.ts";

/**
 * What would be deployed to AWS, run here: the pipeline and the build specifications out of the synthesized template drive
 * the simulated CodePipeline. Nothing but endpoints is added. The long form runs every stage of this checkout; the short
 * one installs by a link, and publishes a build of a few bytes that is there already.
 */
const isLong = process.env["COALMINE_LONG"] === "1";
const root = dirname(import.meta.dirname);
const folder = mkdtempSync(join(tmpdir(), "coalmine-synthesized-"));
const credentials = { accessKeyId: "AKIALOCALSYNTH", secretAccessKey: "of-no-use-anywhere-else" };
const place = { region: "us-east-1", accountId: "123456789012" };
const PATIENCE_MS = isLong ? 1_500_000 : 100_000;

const instead = {
  "node pipeline/stages/install.ts": `ln -s "${root}/node_modules" node_modules`,
  "node pipeline/stages/main.ts check": "echo checked",
  "node pipeline/stages/main.ts build": `cp -R "${folder}/dist" dist`,
  "node pipeline/stages/main.ts rehearse": "ls dist/build.json",
};

const closing = new Closing();
let cloud: StartedCloud;
let pipeline: SynthesizedPipeline;
let target: Target;
let codepipeline: CodePipelineClient;
let s3: S3Client;
let greengrass: GreengrassV2Client;
let commit: string;
let alarms: string[];

beforeAll(async () => {
  const { stacks } = app({}, join(folder, "cdk.out"));
  alarms = stacks.flatMap((stack) =>
    Object.values(Template.fromStack(stack).findResources("AWS::CloudWatch::Alarm")).map((alarm) =>
      z.string().parse(alarm["Properties"].AlarmName),
    ),
  );
  const delivery = stacks.find(({ stackName }) => stackName === "CoalmineDelivery");
  if (delivery === undefined) throw new Error("no stack CoalmineDelivery");
  pipeline = synthesizedPipeline(Template.fromStack(delivery), PIPELINE_NAME, isLong ? {} : instead);
  const repository = await makeRepository();
  cloud = closing.add(
    await startCloud({
      ...place,
      folder: join(folder, "cloud"),
      host: "127.0.0.1",
      port: 0,
      allowRemote: false,
      devicePorts: { mqtt: 0, alpn: 0, dataPlane: 0, credentials: 0 },
      credentials,
      controlToken: "not used here",
      clock: systemClock,
      wallClock: systemClock,
      random: systemRandom,
      log: silentLog,
      more: ({ store }) => {
        const engine = new PipelineEngine({
          clock: systemClock,
          random: systemRandom,
          store,
          run: asCodeBuild(repository),
        });
        closing.add(engine, () => engine.close());
        return [codePipelineService(store, engine, place, () => systemClock.now())];
      },
    }),
    (started) => started.close(),
  );
  const settings = { region: place.region, endpoint: cloud.endpoint, credentials };
  codepipeline = closing.add(new CodePipelineClient(settings), (client) => client.destroy());
  s3 = closing.add(new S3Client(settings), (client) => client.destroy());
  greengrass = closing.add(new GreengrassV2Client(settings), (client) => client.destroy());
  const [first] = z
    .array(Target)
    .parse(JSON.parse(pipeline.environments.get("Publish/Publish")?.["COALMINE_TARGETS"] ?? "[]"));
  if (first === undefined) throw new Error("the synthesized stage has no target");
  target = first;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the template says; the service checks it.
  const declaration = pipeline.declaration as { name: string; roleArn: string; stages: [] };
  await codepipeline.send(new CreatePipelineCommand({ pipeline: declaration }));
}, 300_000);
afterAll(async () => {
  await closing.close();
  rmSync(folder, { recursive: true, force: true });
});

/** This checkout as a repository; in the short form only what the publish stage and the console are made of, beside a build. */
async function makeRepository(): Promise<string> {
  const work = join(folder, "work");
  const bare = join(folder, "coalmine.git");
  const git = (...words: string[]) => execFileSync("git", words, { cwd: work, encoding: "utf8" }).trim();
  if (isLong) {
    execFileSync("git", ["clone", "--quiet", root, work]);
    keep(root, cacheFolder(root, process.env));
  } else {
    await tinyBuild(root, join(folder, "dist"), ["coalmine.test.Tiny"]);
    mkdirSync(work);
    for (const part of ["pipeline", "console", "package.json", "tsconfig.json"])
      cpSync(join(root, part), join(work, part), { recursive: true });
    writeFileSync(join(work, ".gitignore"), "node_modules\ndist\n");
    git("init", "--quiet", "--initial-branch=main");
    git("add", "--all");
    git("-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "--message", "one");
  }
  commit = git("rev-parse", "HEAD");
  execFileSync("git", ["clone", "--quiet", "--bare", work, bare]);
  return bare;
}

/**
 * CodeBuild as the template sets it up: each action has its project's environment, and what the last action left but the
 * excluded paths, since its container is another one.
 */
function asCodeBuild(repository: string): RunAction {
  const workspaces = join(folder, "workspaces");
  return async (request) => {
    const own = pipeline.environments.get(`${request.stage}/${request.action}`) ?? {};
    const targets = z.array(Target).parse(JSON.parse(own["COALMINE_TARGETS"] ?? "[]"));
    const outcome = await runCommands({
      repository,
      workspaces,
      logs: join(folder, "logs"),
      environment: {
        PATH: `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`,
        // The variable that the source action has from the push.
        ...Object.fromEntries(
          Object.entries(own).map(([name, value]) => [
            name,
            value.replaceAll("#{Pushed.CommitId}", request.revisionId),
          ]),
        ),
        COALMINE_CACHE: cacheFolder(root, process.env),
        COALMINE_TARGETS: JSON.stringify(targets.map((one) => ({ ...one, endpoint: cloud.endpoint }))),
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      },
      clock: systemClock,
    })(request);
    for (const path of pipeline.excluded)
      rmSync(join(workspaces, request.executionId, path), { recursive: true, force: true });
    return outcome;
  };
}

const push = () =>
  codepipeline.send(
    new StartPipelineExecutionCommand({
      name: PIPELINE_NAME,
      sourceRevisions: [{ actionName: "Push", revisionType: "COMMIT_ID", revisionValue: commit }],
    }),
  );

/** How far the stage has come: its last action that began. */
async function actionOf(stage: string) {
  const { stageStates = [] } = await codepipeline.send(new GetPipelineStateCommand({ name: PIPELINE_NAME }));
  return stageStates
    .find(({ stageName }) => stageName === stage)
    ?.actionStates?.findLast(({ latestExecution }) => latestExecution !== undefined)?.latestExecution;
}
const until = (stage: string, status: string) =>
  expect
    .poll(async () => (await actionOf(stage))?.status ?? "", { timeout: PATIENCE_MS, interval: 200 })
    .toBe(status);
const componentCount = async () =>
  (await greengrass.send(new ListComponentsCommand({}))).components?.length ?? 0;

test("each alarm of the stacks has a page of its name in the runbook", () => {
  expect(alarms.length).toBeGreaterThan(0);
  const pages = alarms.map((name) => `docs/runbook/${name.replace(/-.*$/, "")}.md`);
  expect(pages.filter((page) => !existsSync(join(root, page)))).toEqual([]);
});

test(
  "the stage that publishes fails where the region has no bucket, says which, and leaves no version and no release",
  async () => {
    await push();
    await until("Publish", "Failed");
    expect((await actionOf("Publish"))?.summary).toMatch(
      new RegExp(`s3://${target.artifactBucket}/.* could not be written`),
    );
    expect(await componentCount()).toBe(0);
  },
  PATIENCE_MS,
);

test(
  "once there is one, the same push goes through every stage of the synthesized pipeline, and what it published can be rolled out",
  async () => {
    const site = pipeline.environments.get("Publish/Console")?.["COALMINE_SITE_BUCKET"] ?? "";
    for (const Bucket of [target.artifactBucket, site]) await s3.send(new CreateBucketCommand({ Bucket }));
    await push();
    for (const stage of stages)
      if (stage.kind === "work") await until(stage.name, "Succeeded");
      else {
        // Only whoever has the token answers a wait: the controller.
        await until(stage.name, "InProgress");
        const { token } = (await actionOf(stage.name)) ?? {};
        const result = { status: "Approved", summary: "done" } as const;
        const wait = { pipelineName: PIPELINE_NAME, stageName: stage.name, actionName: stage.name };
        await codepipeline.send(new PutApprovalResultCommand({ ...wait, token, result }));
      }
    const Key = releaseKey(commit);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: target.artifactBucket, Key }));
    const release = ReleaseManifest.parse(JSON.parse((await Body?.transformToString()) ?? ""));
    expect(release.commit).toBe(commit);
    expect(await componentCount()).toBe(Object.keys(release.components).length);
    // The page may change under its name, and names parts that never do.
    const page = await s3.send(new GetObjectCommand({ Bucket: site, Key: "index.html" }));
    expect([page.ContentType, page.CacheControl]).toEqual(["text/html; charset=utf-8", "no-cache"]);
    const [, script = ""] =
      /src="\/(parts\/[^"]+\.js)"/.exec((await page.Body?.transformToString()) ?? "") ?? [];
    const part = await s3.send(new GetObjectCommand({ Bucket: site, Key: script }));
    expect(await part.Body?.transformToString()).not.toBe("");
    expect([part.ContentType, part.CacheControl]).toEqual([
      "text/javascript; charset=utf-8",
      "public, max-age=31536000, immutable",
    ]);
  },
  PATIENCE_MS,
);

import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Log } from "@coalmine/ports";
import { Closing } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { systemRandom } from "@coalmine/runtime/system-random";
import * as z from "zod";
import { git, openRepository } from "../../pipeline/push/repository.ts";
import { PipelineEngine } from "../../simulator/cloud/codepipeline/engine.ts";
import { tellExecutions } from "../../simulator/cloud/codepipeline/execution-events.ts";
import { runCommands } from "../../simulator/cloud/codepipeline/run-commands.ts";
import { codePipelineService } from "../../simulator/cloud/codepipeline/service.ts";
import { startCloud, type StartedCloud } from "../../simulator/cloud/start-cloud.ts";
import { functionNames } from "../../infra/identity/functions.ts";
import type { ClaimCloud } from "../../api/claims/claim-cloud.ts";
import { CommissioningSide } from "./commissioning-side.ts";
import { setUpRegion } from "./set-up.ts";
import { setUpEvidenceLake } from "./set-up-lake.ts";
import type { Places } from "./state.ts";

export const HOME = { name: "home", region: "us-east-1", accountId: "123456789012" } as const;
export const buckets = (region: string): { artifacts: string; lake: string } => ({
  artifacts: `coalmine-artifacts-${region}`,
  // The name that stream-uploader has as its default; each region has one of its own.
  lake: "coalmine-lake",
});

const Ports = z.object({
  http: z.int(),
  mqtt: z.int(),
  alpn: z.int(),
  dataPlane: z.int(),
  credentials: z.int(),
  httpApi: z.int().default(0),
});
const Secrets = z.object({ accessKeyId: z.string(), secretAccessKey: z.string(), controlToken: z.string() });
export type Secrets = z.infer<typeof Secrets>;

export interface HomeRegion {
  readonly cloud: StartedCloud;
  readonly engine: PipelineEngine;
  readonly secrets: Secrets;
  readonly claims: ClaimCloud;
  /** Takes up what the last system left half-done; gives it in words. */
  resume(): readonly string[];
  close(): Promise<void>;
}

/**
 * The home region on this machine: cloud, pipeline engine, and the repository that people push to. `stageEnvironment`
 * is asked when a stage's commands start, since the other region's endpoint is known only later.
 */
export async function startHomeRegion(
  at: Places,
  log: Log,
  stageEnvironment: () => Readonly<Record<string, string>>,
): Promise<HomeRegion> {
  const closing = new Closing();
  try {
    await mkdir(at.state, { recursive: true, mode: 0o700 });
    const secrets = await readSecrets(join(at.state, "operator.json"));
    // Devices were commissioned with these: they have to find the cloud where they knew it.
    const portsFile = join(at.state, "ports.json");
    const kept = existsSync(portsFile)
      ? Ports.parse(JSON.parse(await readFile(portsFile, "utf8")))
      : undefined;
    let engine: PipelineEngine | undefined;
    const place = { region: HOME.region, accountId: HOME.accountId };
    const commissioning = closing.add(new CommissioningSide(systemClock, log), (side) => side.close());
    const cloud = await startCloud({
      folder: join(at.state, "home"),
      ...place,
      host: "127.0.0.1",
      port: kept?.http ?? 0,
      allowRemote: false,
      devicePorts: kept ?? { mqtt: 0, alpn: 0, dataPlane: 0, credentials: 0 },
      credentials: secrets,
      controlToken: secrets.controlToken,
      clock: systemClock,
      wallClock: systemClock,
      random: systemRandom,
      log,
      functions: commissioning.functions,
      httpApi: { functionName: functionNames.claims, port: kept?.httpApi ?? 0 },
      more: ({ store, events }) => {
        engine = new PipelineEngine({
          clock: systemClock,
          random: systemRandom,
          store,
          changed: tellExecutions(events, place),
          run: (request) =>
            runCommands({
              repository: at.repository,
              workspaces: join(at.state, "workspaces"),
              logs: join(at.state, "stage-logs"),
              environment: {
                PATH: `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`,
                COALMINE_CACHE: at.cache,
                COALMINE_REHEARSALS: join(at.state, "rehearsals"),
                ...stageEnvironment(),
              },
              clock: systemClock,
            })(request),
        });
        return [codePipelineService(store, engine, place, () => systemClock.now())];
      },
    });
    closing.add(cloud, () => cloud.close());
    await writeFile(portsFile, JSON.stringify(cloud.ports));
    if (engine === undefined) throw new Error("the cloud made no pipeline engine");
    const started = engine;
    closing.add(started, () => started.close());
    const invoke = (service: string, operation: string, input: object): Promise<object> =>
      cloud.cloud.invoke(service, operation, input);
    await setUpRegion(invoke, { ...place, partition: "aws" }, Object.values(buckets(HOME.region)));
    await setUpEvidenceLake(invoke, { ...place, partition: "aws" }, buckets(HOME.region).lake);
    const { accessKeyId, secretAccessKey } = secrets;
    const claims = await commissioning.open(
      { region: HOME.region, endpoint: cloud.endpoint, credentials: { accessKeyId, secretAccessKey } },
      buckets(HOME.region).artifacts,
    );
    openHomeRepository(at, cloud.endpoint, secrets);
    return {
      cloud,
      engine: started,
      secrets,
      claims,
      resume: () => started.resume(),
      close: () => closing.close(),
    };
  } catch (failure) {
    await closing.close();
    throw failure;
  }
}

/** The repository begins as this checkout's main, before there is a hook: what is here already is no push. */
function openHomeRepository(at: Places, endpoint: string, secrets: Secrets): void {
  if (!existsSync(join(at.repository, "HEAD"))) {
    git(at.root, "clone", "--quiet", "--bare", at.root, at.repository);
    git(at.root, "push", "--quiet", "--force", at.repository, "HEAD:refs/heads/main");
    git(at.repository, "symbolic-ref", "HEAD", "refs/heads/main");
  }
  openRepository(at.repository, {
    region: HOME.region,
    roleArn: `arn:aws:iam::${HOME.accountId}:role/CoalminePipeline`,
    endpoint,
    accessKeyId: secrets.accessKeyId,
    secretAccessKey: secrets.secretAccessKey,
  });
}

/** Made once for a state folder. They open the clouds of this machine and nothing else. */
async function readSecrets(file: string): Promise<Secrets> {
  const kept = await readFile(file, "utf8").catch(() => undefined);
  if (kept !== undefined) return Secrets.parse(JSON.parse(kept));
  const made = {
    accessKeyId: `AKIALOCAL${randomBytes(6).toString("hex").toUpperCase().slice(0, 11)}`,
    secretAccessKey: randomBytes(30).toString("base64url"),
    controlToken: randomBytes(24).toString("base64url"),
  };
  await writeFile(file, `${JSON.stringify(made)}\n`, { mode: 0o600 });
  return made;
}

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  CodePipelineClient,
  GetPipelineExecutionCommand,
  ListPipelineExecutionsCommand,
} from "@aws-sdk/client-codepipeline";
import { componentNames } from "@coalmine/contract";
import { parseRecipe } from "@coalmine/recipe";
import { type Closing, invariant, silentLog } from "@coalmine/runtime";
import { runCommand, type Ran } from "../cli/command.fixture.ts";
import { addRolloutCommands } from "../cli/rollout/commands.ts";
import { addQuestions } from "../cli/rollout/questions.ts";
import { ownRelease, type OwnRelease } from "../cli/simulate/own-release.ts";
import { startConsole } from "../cli/system/console-server.ts";
import { DRIVEN } from "../cli/system/driven-region.ts";
import { HOME, startHomeRegion } from "../cli/system/home-region.ts";
import { places, writeRunning } from "../cli/system/state.ts";
import { readRollout } from "../pipeline/controller/folded.ts";
import { PIPELINE_NAME } from "../pipeline/definition.ts";
import { recipeDigest } from "../pipeline/build/recipe-template.ts";
import { Developer } from "./developer.ts";
import { startWatchedRollouts } from "./driven-rollouts.ts";

const root = dirname(import.meta.dirname);
const MINUTE_MS = 60_000;
const PASSES_MAX = 200;
export const DEVICES = 12;
const { inference } = componentNames;

/** Three of twelve, held against limits; its times are short, since there is a day of them for each second of ours. */
const policy = `
version: 1
metrics:
  - { name: heartbeats, of: heartbeats, direction: up, role: halting, limit: { above: 0.9, exposureMin: 3 } }
targets:
  driven:
    judgedBy: limits
    metrics: all
    canaryDevices: 3
    unjudgedDevicesMax: 3
    waves: [0.5, 1]
    prePeriod: 0 s
    soak: 5 min
    horizon: 40 min
    lookEvery: 5 min
    pulseEvery: 1 min
    waveSoak: 5 min
    arrivedShareMin: 0.8
    guard: { toleratedRate: 0.01, eValueMin: 1000 }
    deadlines: { draw: 20 min, deploy: 25 min, approval: 7 d, hold: 7 d, decide: 7 d, wave: 1 h, verify: 1 h, rollback: 30 min }
`;

/** All that a developer and an operator have before them. */
export interface JourneySystem {
  readonly developer: Developer;
  /** Has the pipeline find these bytes under a commit, as its stages would have made them. */
  readonly publish: (commit: string, version: string, breaks?: "start") => Promise<void>;
  /** Lets time go on until a rollout of that commit is at a phase; gives its name. */
  readonly until: (commit: string, phase: string) => Promise<string>;
  /** Its canary, by name. */
  readonly canaries: (rollout: string) => Promise<readonly string[]>;
  /** How the pipeline's execution of a commit stands. */
  readonly executionOf: (commit: string) => Promise<string | undefined>;
  /** Inference's version → devices. */
  readonly versions: () => Promise<Record<string, number>>;
  /** Opens the console, once. */
  readonly link: () => string;
  /** A command of `coalmine`, as somebody types it beside the system. */
  readonly coalmine: (...words: string[]) => Promise<Ran>;
}

/**
 * The local system with a repository that takes pushes, its pipeline, the real controller, the console before the real
 * API, and hosted devices that run this checkout's bundles. Its stages take no time: the main job has the real ones.
 */
export async function startJourneySystem(closing: Closing, built: OwnRelease): Promise<JourneySystem> {
  const folder = mkdtempSync(join(tmpdir(), "journey-"));
  closing.add(folder, () => rmSync(folder, { recursive: true, force: true }));
  const state = { COALMINE_STATE: join(folder, "base") };
  const [at, theirs] = [places(root, state), places(join(folder, "work"), state)];
  const developer = new Developer(theirs.root);
  const home = closing.add(await startHomeRegion(theirs, silentLog, () => ({})), (region) => region.close());
  developer.git("remote", "add", "fleet", at.repository);
  const { accessKeyId, secretAccessKey } = home.secrets;
  const codepipeline = closing.add(
    new CodePipelineClient({
      region: HOME.region,
      endpoint: home.cloud.endpoint,
      credentials: { accessKeyId, secretAccessKey },
    }),
    (client) => client.destroy(),
  );
  const it = await startWatchedRollouts(closing, at, {
    devices: DEVICES,
    policy,
    seed: "journey",
    beside: { secrets: home.secrets, codepipeline, turn: async () => undefined },
  });
  const { target } = it.region;
  writeRunning(at, {
    pid: process.pid,
    isUp: true,
    targets: [target],
    repository: at.repository,
    accessKeyId,
    secretAccessKey,
    controlTokens: { [DRIVEN.name]: home.secrets.controlToken },
  });
  const releaseOf = async (name: string, raised: Record<string, string> = {}): Promise<OwnRelease> => {
    const own = join(folder, name);
    mkdirSync(own);
    return ownRelease(own, built, raised);
  };
  const first = await it.publish(await releaseOf("first"), "1111111aaaaa");
  await it.install(first);
  await it.runUntil((await it.now()) + 5 * MINUTE_MS);
  const served = closing.add(
    await startConsole({ at, api: it.api, targets: [target], log: silentLog }),
    (open) => open.close(),
  );
  return {
    developer,
    publish: async (commit, version, breaks) => {
      const release = await releaseOf(version, { [inference]: version });
      await it.publish(breaks === undefined ? release : withoutStart(release), commit);
    },
    until: async (commit, phase) => {
      for (let pass = 0; pass < PASSES_MAX; pass++) {
        // What a phase brings with it is done as well.
        if ((await it.tick()).moved) continue;
        const listed = (await it.api.log.list(5)).find((one) => one.commit === commit);
        const folded = listed === undefined ? undefined : await readRollout(it.api.log, listed.rollout);
        if (listed !== undefined && folded?.planned?.rollout.phase.phase === phase) return listed.rollout;
        // Before there is a rollout the stages of the push have their turn.
        if (listed === undefined) await new Promise((resolve) => void setTimeout(resolve, 100));
        else await it.runUntil((await it.now()) + MINUTE_MS);
      }
      throw new Error(`the rollout of ${commit} does not come to ${phase}`);
    },
    canaries: async (rollout) => {
      const state = (await readRollout(it.api.log, rollout))?.planned?.rollout.targets[DRIVEN.name];
      return state?.order.slice(0, state.canaryCount) ?? [];
    },
    executionOf: async (commit) => {
      const { pipelineExecutionSummaries = [] } = await codepipeline.send(
        new ListPipelineExecutionsCommand({ pipelineName: PIPELINE_NAME }),
      );
      const pipelineExecutionId = pipelineExecutionSummaries.find(({ sourceRevisions = [] }) =>
        sourceRevisions.some(({ revisionId }) => revisionId === commit),
      )?.pipelineExecutionId;
      if (pipelineExecutionId === undefined) return undefined;
      const { pipelineExecution } = await codepipeline.send(
        new GetPipelineExecutionCommand({ pipelineName: PIPELINE_NAME, pipelineExecutionId }),
      );
      return pipelineExecution?.status;
    },
    versions: async () => {
      const counts: Record<string, number> = {};
      for (const { components } of await it.devices()) {
        const version = components.find(({ name }) => name === inference)?.version ?? "none";
        counts[version] = (counts[version] ?? 0) + 1;
      }
      return counts;
    },
    link: () => served.link("operator"),
    coalmine: (...words) =>
      runCommand((program) => addQuestions(program, addRolloutCommands(program, at), at), ...words),
  };
}

/** The same release, whose inference names a program that is not there. */
function withoutStart(release: OwnRelease): OwnRelease {
  const components = release.manifest.components.map((one) => {
    if (one.component !== inference) return one;
    const file = join(release.dist, one.recipeFile);
    const text = readFileSync(file, "utf8").replace("/main.mjs", "/absent/main.mjs");
    invariant(text.includes("/absent/"), `the recipe ${file} starts no main.mjs`);
    writeFileSync(file, text);
    return { ...one, recipe: recipeDigest(parseRecipe(text, file)) };
  });
  const manifest = { ...release.manifest, components };
  writeFileSync(join(release.dist, "build.json"), JSON.stringify(manifest));
  return { dist: release.dist, manifest };
}

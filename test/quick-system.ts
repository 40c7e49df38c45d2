import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { CodePipelineClient } from "@aws-sdk/client-codepipeline";
import { componentNames } from "@coalmine/contract";
import { parseRecipe } from "@coalmine/recipe";
import { type Closing, invariant, silentLog } from "@coalmine/runtime";
import { runCommand } from "../cli/command.fixture.ts";
import { addRolloutCommands } from "../cli/rollout/commands.ts";
import { addQuestions } from "../cli/rollout/questions.ts";
import { ownRelease, type OwnRelease } from "../cli/simulate/own-release.ts";
import { startConsole } from "../cli/system/console-server.ts";
import { DRIVEN } from "../cli/system/driven-region.ts";
import { HOME, startHomeRegion } from "../cli/system/home-region.ts";
import { places, writeRunning } from "../cli/system/state.ts";
import { recipeDigest } from "../pipeline/build/recipe-template.ts";
import { Developer } from "./developer.ts";
import { startWatchedRollouts } from "./driven-rollouts.ts";
import type { Ground } from "./journey-ground.ts";

const root = dirname(import.meta.dirname);
const MINUTE_MS = 60_000;
const DEVICES = 12;
const CANARY = 3;
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
    canaryDevices: ${CANARY}
    unjudgedDevicesMax: ${CANARY}
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

/**
 * A repository that takes pushes, its pipeline, the real controller, the console before the real API, and hosted devices
 * that run this checkout's bundles. Its stages take no time: `coalmine up` has the real ones.
 */
export async function startQuickSystem(closing: Closing, built: OwnRelease): Promise<Ground> {
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
  const versions = { better: "9.0.0", broken: "9.0.1" };
  return {
    api: it.api,
    regions: [it.region],
    devices: DEVICES,
    canary: CANARY,
    push: async (kind) => {
      const commit = developer.commit(`inference, ${kind}`);
      const release = await releaseOf(kind, { [inference]: versions[kind] });
      // As the stages of the push would have made it.
      await it.publish(kind === "broken" ? withoutStart(release) : release, commit);
      return { commit, said: await developer.push("main") };
    },
    settle: async () => {
      while ((await it.tick()).moved);
    },
    later: async (hasBegun) => {
      // Before there is a rollout the stages of the push have their turn.
      if (hasBegun) await it.runUntil((await it.now()) + MINUTE_MS);
      else await new Promise((resolve) => void setTimeout(resolve, 100));
    },
    link: async () => served.link("operator"),
    coalmine: async (...words) =>
      (await runCommand((program) => addQuestions(program, addRolloutCommands(program, at), at), ...words))
        .out,
    failed:
      /driven: the deployment FAILED \("Service coalmine.Inference in broken state after deployment"\) on (hosted-\d+(?:, hosted-\d+){2}); `coalmine device logs/,
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

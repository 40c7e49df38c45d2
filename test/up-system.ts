import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Closing } from "@coalmine/runtime";
import { withoutGit } from "@coalmine/runtime/without-git";
import { harmless } from "../cli/rollout/harmless.ts";
import { ofThisMachine, openApi, openRegions } from "../cli/asked/asked.ts";
import { commitChange, push } from "../cli/rollout/scratch-clone.ts";
import { needRunning, places } from "../cli/system/state.ts";
import { cacheFolder } from "../pipeline/build/cache-folder.ts";
import { closeRegion } from "../pipeline/controller/region.ts";
import { recordOverride } from "../pipeline/stages/override.ts";
import { mutants } from "../simulator/fleet/mutants/catalogue.ts";
import type { Ground } from "./journey-ground.ts";

const root = dirname(import.meta.dirname);
const program = join(root, "cli/main.ts");
const UP_MS_MAX = 20 * 60_000;
const LOOK_MS = 3000;
const changes = { better: harmless, broken: mutants["wrong-calibration"] };
/** As `coalmine up` has them without another word, and the policy of this checkout. */
const [DEVICES, CANARY] = [54, 11];

/** What `coalmine up` brings up, with all that its stages do; it is asked by commands and by the console alone. */
export async function startUpSystem(closing: Closing): Promise<Ground> {
  const folder = mkdtempSync(join(tmpdir(), "up-"));
  closing.add(folder, () => rmSync(folder, { recursive: true, force: true }));
  const state = {
    COALMINE_STATE: join(folder, "base"),
    COALMINE_CACHE: cacheFolder(root, process.env),
  };
  const at = places(root, state);
  const env = { ...withoutGit(process.env), ...state };
  const child = spawn(process.execPath, [program, "up"], {
    cwd: root,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  closing.add(child, async (open) => {
    open.kill("SIGTERM");
    await ended;
  });
  let said = "";
  const isUp = new Promise<void>((resolve) => {
    for (const output of [child.stdout, child.stderr])
      output.on("data", (text: Buffer) => {
        said += text.toString();
        if (/^ {2}http:.*#token=/m.test(said)) resolve();
      });
  });
  const late = AbortSignal.timeout(UP_MS_MAX);
  await Promise.race([isUp, ended, new Promise((resolve) => late.addEventListener("abort", resolve))]);
  if (!/#token=/.test(said)) throw new Error(`the system did not come up; it said: ${said.slice(-2000)}`);
  const coalmine = async (...words: string[]): Promise<string> =>
    (await promisify(execFile)(process.execPath, [program, ...words], { cwd: root, env })).stdout;
  const running = needRunning(at);
  const asked = ofThisMachine(running);
  const { api, home } = openApi(asked);
  closing.add(home, closeRegion);
  const regions = openRegions(asked);
  closing.add(regions, (open) => open.forEach(closeRegion));
  return {
    api,
    regions,
    devices: DEVICES,
    canary: CANARY,
    push: async (kind) => {
      const scratch = join(folder, kind);
      const { commit } = await commitChange(at.repository, scratch, at.cache, changes[kind]);
      // The rehearsal would stop it: what is to be seen is that the canary does.
      if (kind === "broken") {
        const { s3, target } = regions[0];
        const why = "to see the canary stop it";
        await recordOverride(s3, target.artifactBucket, { commit, stage: "rehearse", who: "ada", why });
      }
      return { commit, said: (await push(scratch)).join("\n") };
    },
    settle: async () => undefined,
    later: () => new Promise((resolve) => void setTimeout(resolve, LOOK_MS)),
    link: async () => (await coalmine("console", "--role", "operator")).trim(),
    coalmine,
    failed: /driven, HALT after .*control residual/,
  };
}

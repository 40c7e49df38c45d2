import { systemClock } from "@coalmine/runtime/system-clock";
import { ApiError } from "../../api/api-error.ts";
import type { Api } from "../../api/api.ts";
import { listRollouts } from "../../api/describe.ts";
import { KeptDocuments } from "../../pipeline/controller/kept.ts";
import { closeRegion, openRegion, type Region } from "../../pipeline/controller/region.ts";
import { RolloutLog } from "../../pipeline/controller/rollout-log.ts";
import { targetTime } from "../../pipeline/controller/target-time.ts";
import { HOME } from "../system/home-region.ts";
import { environmentOf, needRunning, type Places, type RunningSystem } from "../system/state.ts";

const TICK_MS = 1000;

/** The operators' API of the system that runs on this machine. */
export function localApi(running: RunningSystem): { api: Api; home: Region } {
  Object.assign(process.env, environmentOf(running));
  const [first] = running.targets;
  if (first === undefined) throw new Error("the running system names no target");
  const home = openRegion(first, HOME.accountId);
  return {
    home,
    api: {
      log: new RolloutLog(home.dynamodb, systemClock),
      kept: new KeptDocuments(home.s3, home.target.artifactBucket),
      targets: running.targets,
      time: targetTime({ clock: systemClock, controlTokens: running.controlTokens, tickMs: TICK_MS }),
    },
  };
}

/** Asks the system that runs here, and lets go of it. */
export async function asking(at: Places, ask: (api: Api) => Promise<void>): Promise<void> {
  const { api, home } = localApi(needRunning(at));
  try {
    await ask(api);
  } finally {
    closeRegion(home);
  }
}

/** The name of the newest one. @throws ApiError where there is none */
export async function latest(api: Api): Promise<string> {
  const [newest] = await listRollouts(api, { limit: 1 });
  if (newest !== undefined) return newest.rollout;
  throw new ApiError(
    "ERR_API_NOT_FOUND",
    "there is no rollout yet; push something: `git push fleet HEAD:main`, with the remote that `coalmine up` names",
  );
}

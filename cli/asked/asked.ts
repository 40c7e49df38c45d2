import { userInfo } from "node:os";
import { systemClock } from "@coalmine/runtime/system-clock";
import * as z from "zod";
import type { Api } from "../../api/api.ts";
import { KeptDocuments } from "../../pipeline/controller/kept.ts";
import { closeRegion, openRegion, type Region } from "../../pipeline/controller/region.ts";
import { RolloutLog } from "../../pipeline/controller/rollout-log.ts";
import { targetTime } from "../../pipeline/controller/target-time.ts";
import type { Target } from "../../pipeline/target.ts";
import { HOME } from "../system/home-region.ts";
import {
  environmentOf,
  findRunning,
  MARK,
  needRunning,
  type Places,
  type RunningSystem,
  SystemError,
} from "../system/state.ts";
import { askedAccount, type AskedAccount, inOurWords, namesAccount } from "./account.ts";

const TICK_MS = 1000;

/** What a command asks: the system that runs on this machine, or an account. The clients' environment is its own. */
export interface Asked extends AskedAccount {
  /** Target → the token of its control API, where its clock is driven. */
  readonly controlTokens: Readonly<Record<string, string>>;
}

/** An account where the environment names one that is not this machine's own system, which says so of itself. */
async function findAsked(at: Places, environment: NodeJS.ProcessEnv): Promise<Asked> {
  if (environment[MARK] !== undefined || !namesAccount(environment)) return ofThisMachine(needRunning(at));
  const account = await askedAccount(environment);
  if (findRunning(at) !== undefined)
    console.error(
      `the environment names account ${account.accountId}: that is asked, and not the system which runs on this machine`,
    );
  const tokens: unknown = JSON.parse(environment["COALMINE_CONTROL_TOKENS"] ?? "{}");
  return { ...account, controlTokens: z.record(z.string(), z.string()).parse(tokens) };
}

/** The system that runs here; from now on this process's clients reach it and nothing else. */
export function ofThisMachine(running: RunningSystem): Asked {
  Object.assign(process.env, environmentOf(running));
  const [home, ...others] = running.targets;
  if (home === undefined) throw new Error("the running system names no target");
  const { controlTokens } = running;
  return {
    targets: [home, ...others],
    accountId: HOME.accountId,
    who: userInfo().username,
    controlTokens,
  };
}

/** The target of that name alone, where there is a name. @throws SystemError where no target has it. */
export function targetsNamed(
  { targets }: Pick<Asked, "targets">,
  name: string | undefined,
): [Target, ...Target[]] {
  const [first, ...others] = targets.filter((target) => name === undefined || target.name === name);
  if (first !== undefined) return [first, ...others];
  throw new SystemError(
    "ERR_NO_SUCH_FLEET",
    `there is no fleet "${name}"; take one of ${targets.map((target) => target.name).join(", ")}`,
  );
}

/** Every region of what is asked, home first. */
export function openRegions({ targets: [home, ...others], accountId }: AskedAccount): [Region, ...Region[]] {
  return [openRegion(home, accountId), ...others.map((target) => openRegion(target, accountId))];
}

/** The operators' API of what is asked, in this process. */
export function openApi({ targets, accountId, controlTokens }: Asked): { api: Api; home: Region } {
  const home = openRegion(targets[0], accountId);
  return {
    home,
    api: {
      log: new RolloutLog(home.dynamodb, systemClock),
      kept: new KeptDocuments(home.s3, home.target.artifactBucket),
      targets,
      time: targetTime({ clock: systemClock, controlTokens, tickMs: TICK_MS }),
    },
  };
}

/** Finds whom to ask, and says of what AWS refuses who may allow it. */
export async function askingWhom(at: Places, ask: (asked: Asked) => Promise<void>): Promise<void> {
  const asked = await findAsked(at, process.env);
  try {
    await ask(asked);
  } catch (failure) {
    throw inOurWords(failure);
  }
}

/** Asks by the operators' API, and lets go of it. */
export function asking(at: Places, ask: (api: Api, asked: Asked) => Promise<void>): Promise<void> {
  return askingWhom(at, async (asked) => {
    const { api, home } = openApi(asked);
    try {
      await ask(api, asked);
    } finally {
      closeRegion(home);
    }
  });
}

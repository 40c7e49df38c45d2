import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CoalmineError } from "@coalmine/runtime";
import * as z from "zod";
import { Target } from "../../pipeline/target.ts";

/** Where everything that runs on this machine keeps its state. */
export interface Places {
  readonly root: string;
  /** What `COALMINE_STATE` names. */
  readonly base: string;
  readonly state: string;
  readonly cache: string;
  readonly repository: string;
  readonly runningFile: string;
}

export function places(root: string, environment: Readonly<Record<string, string | undefined>>): Places {
  const base = environment["COALMINE_STATE"] ?? join(root, ".coalmine");
  return {
    root,
    base,
    state: join(base, "state"),
    cache: environment["COALMINE_CACHE"] ?? join(base, "cache"),
    repository: join(base, "state", "coalmine.git"),
    runningFile: join(base, "state", "running.json"),
  };
}

/** The main job has a state of its own: it begins anew each time, and what `npm start` keeps is not its to touch. */
export function mainJobPlaces({ root, base, cache }: Places): Places {
  return places(root, { COALMINE_STATE: join(base, "job"), COALMINE_CACHE: cache });
}

/** What a running system tells the commands beside it. Holds local credentials: its owner alone may read it. */
export const RunningSystem = z.object({
  pid: z.int(),
  /** False while it comes up: it has its state, and cannot be asked yet. */
  isUp: z.boolean(),
  targets: z.array(Target),
  repository: z.string(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  controlTokens: z.record(z.string(), z.string()),
});
export type RunningSystem = z.infer<typeof RunningSystem>;

export class SystemError extends CoalmineError {
  readonly code: "ERR_NOT_RUNNING" | "ERR_ALREADY_RUNNING" | "ERR_STILL_RUNNING" | "ERR_NO_SUCH_FLEET";
  constructor(code: SystemError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

export function writeRunning(at: Places, running: RunningSystem): void {
  mkdirSync(at.state, { recursive: true, mode: 0o700 });
  writeFileSync(at.runningFile, JSON.stringify(running), { mode: 0o600 });
  chmodSync(at.runningFile, 0o600);
}

export function forgetRunning(at: Places): void {
  rmSync(at.runningFile, { force: true });
}

/** The system that runs with this state, or undefined. One whose process is gone is not running. */
export function findRunning(at: Places): RunningSystem | undefined {
  if (!existsSync(at.runningFile)) return undefined;
  const running = RunningSystem.safeParse(JSON.parse(readFileSync(at.runningFile, "utf8")));
  return running.success && isAlive(running.data.pid) ? running.data : undefined;
}

/** For commands that need one: what `npm start` left up, or else the main job that is under way. */
export function needRunning(at: Places): RunningSystem {
  const running = findRunning(at) ?? findRunning(mainJobPlaces(at));
  if (running?.isUp === true) return running;
  if (running !== undefined)
    throw new SystemError(
      "ERR_NOT_RUNNING",
      `the system of process ${running.pid} is still coming up; ask again in half a minute`,
    );
  throw new SystemError(
    "ERR_NOT_RUNNING",
    `nothing runs with the state in ${at.state}; start it with \`npm start\`, or name an AWS account in COALMINE_ACCOUNT`,
  );
}

/** In the environment of every process that a system starts beside it: its state folder. */
export const MARK = "COALMINE_SYSTEM";

/** Where the last system ended without cleaning up: the next start takes its state up, and says so. */
export function wasCutOff(at: Places): boolean {
  return existsSync(at.runningFile) && findRunning(at) === undefined;
}

/** The environment in which every AWS client reaches the system, and nothing else. */
export function environmentOf(running: RunningSystem): Record<string, string> {
  const home = running.targets[0];
  return {
    AWS_ENDPOINT_URL: home?.endpoint ?? "",
    AWS_REGION: home?.region ?? "",
    AWS_ACCESS_KEY_ID: running.accessKeyId,
    AWS_SECRET_ACCESS_KEY: running.secretAccessKey,
    // Nothing of the person's own account may leak in.
    AWS_PROFILE: "",
    AWS_SESSION_TOKEN: "",
    AWS_EC2_METADATA_DISABLED: "true",
    [MARK]: dirname(running.repository),
    COALMINE_TARGETS: JSON.stringify(running.targets),
    COALMINE_CONTROL_TOKENS: JSON.stringify(running.controlTokens),
  };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

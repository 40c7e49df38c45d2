import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CoalmineError } from "@coalmine/runtime";
import * as z from "zod";

export class CloudCommandError extends CoalmineError {
  readonly code: "ERR_CLOUD_RUNNING" | "ERR_CLOUD_NOT_RUNNING" | "ERR_CLOUD_COMMAND" | "ERR_CLOUD_START";
  constructor(code: CloudCommandError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** The line that a started cloud says of itself. */
export const Where = z.object({
  endpoint: z.url(),
  region: z.string(),
  accountId: z.string(),
  ports: z.object({
    http: z.int(),
    mqtt: z.int(),
    alpn: z.int(),
    dataPlane: z.int(),
    credentials: z.int(),
  }),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  controlToken: z.string(),
  caFile: z.string(),
});
export type Where = z.infer<typeof Where>;

const Started = Where.extend({ pid: z.int() });
export type Started = z.infer<typeof Started>;

/** What lies in a state folder beside the state itself. It is the process's, and no export has it. */
const BESIDE = new Set(["cloud.json", "cloud.log", "lock"]);

/** A file that only a cloud's state folder has, so that nothing else is ever removed or copied for one. */
function isCloudState(folder: string): boolean {
  return existsSync(join(folder, "operator.json")) && existsSync(join(folder, "blobs"));
}

export function needCloudState(folder: string): void {
  if (!isCloudState(folder))
    throw new CloudCommandError(
      "ERR_CLOUD_NOT_RUNNING",
      `${folder} is not the state of a cloud; \`coalmine cloud start\` makes one, and --state names another folder`,
    );
}

/** The names in the folder that are state. */
export function stateNames(folder: string): string[] {
  return readdirSync(folder).filter((name) => !BESIDE.has(name));
}

/** What was said at the last start, whether or not it still runs. */
export function lastStarted(folder: string): Started | undefined {
  const path = join(folder, "cloud.json");
  if (!existsSync(path)) return undefined;
  return Started.safeParse(JSON.parse(readFileSync(path, "utf8"))).data;
}

/** The cloud that keeps its state there now: the lock is the cloud's own word for it. */
export function runningIn(folder: string): Started | undefined {
  const started = lastStarted(folder);
  const lock = join(folder, "lock");
  const owner = existsSync(lock) ? Number(readFileSync(lock, "utf8")) : undefined;
  return started !== undefined && owner === started.pid && isAlive(started.pid) ? started : undefined;
}

export function needRunningIn(folder: string): Started {
  const running = runningIn(folder);
  if (running === undefined)
    throw new CloudCommandError(
      "ERR_CLOUD_NOT_RUNNING",
      `no cloud runs with the state in ${folder}; \`coalmine cloud start\` starts one`,
    );
  return running;
}

export function needStopped(folder: string, what: string): void {
  const running = runningIn(folder);
  if (running !== undefined)
    throw new CloudCommandError(
      "ERR_CLOUD_RUNNING",
      `cannot ${what} ${folder}: process ${running.pid} runs the cloud there; \`coalmine cloud stop\` first`,
    );
}

/** Holds the operator's credentials: its owner alone may read it. */
export function remember(folder: string, started: Started): void {
  const path = join(folder, "cloud.json");
  rmSync(path, { force: true });
  writeFileSync(path, `${JSON.stringify(started)}\n`, { mode: 0o600 });
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

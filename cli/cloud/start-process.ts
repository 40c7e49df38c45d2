import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { invariant } from "@coalmine/runtime";
import { isLoopback } from "../../simulator/cloud/protocol/http-server.ts";
import { CloudCommandError, lastStarted, needStopped, remember, Where, type Started } from "./cloud-state.ts";

const START_MS_MAX = 60_000;
const COMPLAINT_CHARACTERS_MAX = 2000;

export interface StartOptions {
  readonly state: string;
  readonly region: string;
  readonly port: number;
  readonly listen: string;
  readonly allowRemote: boolean;
}

/** Starts a cloud that goes on when this process ends. Devices find it where it was at its last start. */
export async function startProcess(root: string, options: StartOptions): Promise<Started> {
  const { state, region, listen, allowRemote } = options;
  if (!isLoopback(listen) && !allowRemote)
    throw new CloudCommandError(
      "ERR_CLOUD_COMMAND",
      `cannot listen on ${listen}: the simulated cloud serves loopback only, since whoever reaches it is its operator's neighbour; leave --listen out, or add --allow-remote`,
    );
  mkdirSync(state, { recursive: true, mode: 0o700 });
  needStopped(state, "start another cloud in");
  const before = lastStarted(state)?.ports;
  const words = [
    join(root, "simulator/cloud/main.ts"),
    "--state",
    state,
    "--region",
    region,
    "--host",
    listen,
    ...(allowRemote ? ["--allow-remote"] : []),
    "--port",
    String(options.port || (before?.http ?? 0)),
    "--mqtt-port",
    String(before?.mqtt ?? 0),
    "--alpn-port",
    String(before?.alpn ?? 0),
    "--data-plane-port",
    String(before?.dataPlane ?? 0),
    "--credentials-port",
    String(before?.credentials ?? 0),
    "--json",
  ];
  const logPath = join(state, "cloud.log");
  const log = openSync(logPath, "w", 0o600);
  const child = spawn(process.execPath, words, { cwd: root, detached: true, stdio: ["ignore", "pipe", log] });
  closeSync(log);
  const { stdout } = child;
  invariant(stdout !== null, "a piped output is there");
  const line = await Promise.race([
    new Promise<string>((resolve) => createInterface(stdout).once("line", resolve)),
    new Promise<undefined>((resolve) => child.once("close", () => resolve(undefined))),
    new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), START_MS_MAX).unref()),
  ]);
  if (line === undefined || child.pid === undefined) {
    child.kill("SIGKILL");
    const said = readFileSync(logPath, "utf8").trim().slice(-COMPLAINT_CHARACTERS_MAX);
    throw new CloudCommandError(
      "ERR_CLOUD_START",
      `the cloud did not start; it said: ${said || "nothing"} (all of it is in ${logPath})`,
    );
  }
  stdout.destroy();
  child.unref();
  const started = { ...Where.parse(JSON.parse(line)), pid: child.pid };
  remember(state, started);
  return started;
}

import { cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import type { CliCommand } from "../command/command.ts";
import { wholeNumber } from "../command/words.ts";
import { answer, type AnswerName } from "../answers/answers.ts";
import type { Places } from "../system/state.ts";
import {
  CloudCommandError,
  isAlive,
  needCloudState,
  needRunningIn,
  needStopped,
  runningIn,
  stateNames,
  type Started,
} from "./cloud-state.ts";
import { exitCodes } from "../exit-codes.ts";
import { startProcess, type StartOptions } from "./start-process.ts";

/** What follows the verb in its example. */
const examples: Readonly<Record<string, string>> = {
  start: " --region eu-central-1",
  status: " --json",
  reset: " --yes",
  export: " ./kept",
};

const STOP_MS_MAX = 30_000;
const POLL_MS = 50;

interface Options {
  readonly state: string;
  readonly json: boolean;
}

/** `coalmine cloud`: a local cloud of its own, for any SDK program; what `coalmine up` starts is another. */
export function addCloudCommands(program: CliCommand, at: Places): void {
  const cloud = program.command("cloud").description("a local cloud for any program that uses an AWS SDK");
  const verb = (name: string, description: string, answers: AnswerName = "cloud"): CliCommand =>
    cloud
      .command(name)
      .description(description)
      .example(`cloud ${name}${examples[name] ?? ""}`)
      .option(
        "--state <folder>",
        "where it keeps its state",
        (folder) => resolve(folder),
        join(at.base, "cloud"),
      )
      .answers(answers);

  verb("start", "start it, and leave it running")
    .option("--region <name>", "its region", "us-east-1")
    .option(
      "--port <number>",
      "of its endpoint; where it was the last time, or any",
      wholeNumber(0, 65_535),
      0,
    )
    .option("--listen <address>", "another address than loopback; only with --allow-remote", "127.0.0.1")
    .option("--allow-remote", "let others on the network reach it", false)
    .action(async ({ json, ...options }: StartOptions & Options) => {
      const started = await startProcess(at.root, options);
      if (json) answer("cloud", { running: true, ...started });
      else console.log(told(started));
    });
  verb("stop", "stop it; its state stays").action(async ({ state, json }: Options) => {
    const { pid } = needRunningIn(state);
    process.kill(pid, "SIGTERM");
    const deadline = performance.now() + STOP_MS_MAX;
    while (isAlive(pid) && performance.now() < deadline)
      await new Promise((later) => setTimeout(later, POLL_MS));
    if (isAlive(pid))
      throw new CloudCommandError(
        "ERR_CLOUD_RUNNING",
        `process ${pid} has not ended within ${STOP_MS_MAX / 1000} s; kill it: nothing that it answered is lost`,
      );
    if (json) answer("cloud", { running: false, state });
    else console.log(`the cloud of process ${pid} has stopped`);
  });
  verb("status", "whether it runs, and where").action(({ state, json }: Options) => {
    const running = runningIn(state);
    if (json) answer("cloud", { running: running !== undefined, state, ...running });
    else console.log(running === undefined ? `no cloud runs with the state in ${state}` : told(running));
    if (running === undefined) process.exitCode = exitCodes.unreachable;
  });
  verb("reset", "remove its state for good", "cloud-reset")
    .option("--yes", "do it", false)
    .action(({ state, json, yes }: Options & { yes: boolean }) => {
      needCloudState(state);
      needStopped(state, "reset");
      if (!yes)
        throw new CloudCommandError(
          "ERR_CLOUD_COMMAND",
          `this removes ${state} with everything in it: buckets, things, certificates, deployments; say --yes to do it`,
        );
      rmSync(state, { recursive: true });
      if (json) answer("cloud-reset", { removed: state });
      else console.log(`${state} is removed; the next start begins anew`);
    });
  verb("export", "copy its state into a new folder, which another start can open", "cloud-export")
    .argument("<folder>", "where the copy goes")
    .action((folder: string, { state, json }: Options) => {
      const to = resolve(folder);
      needCloudState(state);
      needStopped(state, "export");
      if (existsSync(to))
        throw new CloudCommandError(
          "ERR_CLOUD_COMMAND",
          `${to} is there already: an export is never written over something; name a new folder`,
        );
      mkdirSync(to, { recursive: true, mode: 0o700 });
      for (const name of stateNames(state)) cpSync(join(state, name), join(to, name), { recursive: true });
      if (json) answer("cloud-export", { exported: to, from: state });
      else
        console.log(
          `exported to ${to}, with the operator's keys and the authority's: give it to nobody who may not have them.\nOpen it: npx coalmine cloud start --state ${to}`,
        );
    });
}

function told({ endpoint, region, pid, ports, accessKeyId, secretAccessKey, caFile }: Started): string {
  return [
    `the cloud of process ${pid} listens at ${endpoint}. Point any SDK program at it:`,
    `  export AWS_ENDPOINT_URL=${endpoint} AWS_REGION=${region} AWS_ACCESS_KEY_ID=${accessKeyId} AWS_SECRET_ACCESS_KEY=${secretAccessKey}`,
    `devices: MQTT at localhost:${ports.mqtt}, the data plane at localhost:${ports.dataPlane}, credentials at localhost:${ports.credentials}, root CA ${caFile}`,
  ].join("\n");
}

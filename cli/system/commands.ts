import { appendFileSync, mkdirSync, rmSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { dirname, join, resolve } from "node:path";
import { jsonLog, messageOf } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { closeRegion } from "../../pipeline/controller/region.ts";
import { answer } from "../answers/answers.ts";
import type { CliCommand } from "../command/command.ts";
import { wholeNumber } from "../command/words.ts";
import { bringUpAws, type UpAws } from "../doctor/up-aws.ts";
import { exitCodes } from "../exit-codes.ts";
import { HOSTED_DEVICES_MAX, PROCESS_DEVICES_MAX } from "../fleet/sizes.ts";
import { localApi } from "../rollout/local-api.ts";
import { onStopAsked } from "../stop-asked.ts";
import { askForLink, startConsole } from "./console-server.ts";
import { findRunning, mainJobPlaces, needRunning, SystemError, type Places } from "./state.ts";
import { startSystem, type System } from "./system.ts";
import { followTheWall } from "./wall-pace.ts";

/** Core devices stop their components one after the other. */
const DOWN_MS_MAX = 60_000;

export function addSystemCommands(program: CliCommand, at: Places): void {
  program
    .command("up")
    .description("bring up regions, fleets and the rollout controller on this machine, and leave them up")
    .option("--process-devices <n>", "core devices as processes", wholeNumber(1, PROCESS_DEVICES_MAX), 4)
    .option(
      "--hosted-devices <n>",
      "core devices on the driven clock",
      wholeNumber(1, HOSTED_DEVICES_MAX),
      50,
    )
    .option("--seed <text>", "seed of the driven region", "1")
    .option(
      "--aws",
      "look whether an AWS account is ready, and print the commands that bring it up there",
      false,
    )
    .option("--region <name>", "with --aws: the region; AWS_REGION without it")
    .option("--repository <owner/name>", "with --aws: what is pushed to, as the connection knows it")
    .option("--connection <arn>", "with --aws: the CodeConnections connection to it")
    .option(
      "--context <key=value...>",
      "with --aws: what else the stacks ask for, as infra/context.ts has it",
      [],
    )
    .example("up")
    .example("up --process-devices 8 --hosted-devices 200")
    .example(
      "up --aws --region eu-central-1 --repository ward/coalmine --connection arn:aws:codeconnections:… --context signers=signers.json console=false",
    )
    .action(async (options: UpWords) => {
      if (options.aws) {
        process.exitCode = await bringUpAws(at, options);
        return;
      }
      const stop = new AbortController();
      let system: System | undefined;
      onStopAsked(() => {
        stop.abort();
        void system?.aging.stop();
        if (system === undefined) console.log("this ends as soon as everything that is starting has started");
      });
      system = await startSystem({
        at,
        ...options,
        say: (sentence) => console.log(sentence),
        logLine: logFile(at),
      });
      if (stop.signal.aborted) return system.stop();
      console.log(
        `\nPush to it:\n  git remote add fleet ${at.repository}\n  git push fleet HEAD:main\nand watch: npx coalmine rollout show. Ctrl-C ends it; the next start goes on where it was.`,
      );
      const log = jsonLog("system", systemClock, logFile(at));
      const { api, home } = localApi(system.running);
      const { targets } = system.running;
      const served = await startConsole({ at, api, targets, log }).catch((failure: unknown) => {
        log.error("the console is not served", { why: messageOf(failure) });
        return undefined;
      });
      console.log(
        served === undefined
          ? "\nThe console is not served; system.log says why."
          : `\nOpen the console, once, within a quarter of an hour:\n  ${served.link()}\nAnother link: npx coalmine console`,
      );
      try {
        await system.aging.done;
        await followTheWall(system.driven, systemClock, log, stop.signal);
      } finally {
        await served?.close();
        closeRegion(home);
        await system.stop();
      }
    });
  program
    .command("console")
    .description("print a link that opens the console on this machine, once")
    .option("--role <role>", "viewer, technician, operator or admin", "admin")
    .answers("console-link")
    .example("console")
    .example("console --role viewer")
    .action(async ({ role, json }: { role: string; json: boolean }) => {
      needRunning(at);
      const link = await askForLink(at, role);
      if (json) answer("console-link", { link });
      else console.log(link);
    });
  program
    .command("commission")
    .description("make this machine's device one of the fleet: clock, identity by claim, wiring, report")
    .requiredOption(
      "--settings <file>",
      "what to commission it with; commissioning/options.ts says what stands in it",
    )
    .option("--wait", "where it ends without a network, try each minute until it has its identity", false)
    .answers("commission")
    .option("--page", "ask a technician on a page of this device's own", false)
    .option("--terminal", "ask a technician here", false)
    .option("--address <address>", "where the page is, unless it is for this machine alone", "127.0.0.1")
    .option("--port <number>", "of the page", wholeNumber(1, 65_535), 8090)
    .option("--own-network", "where there is Wi-Fi and no link, offer a network for a phone", false)
    .example("commission --settings core-01.json")
    .example("commission --settings core-01.json --page --address 192.168.4.1")
    .action((options: CommissionWords) => {
      const { status } = spawnSync(process.execPath, commissionCommand(at, options), { stdio: "inherit" });
      process.exitCode = status ?? exitCodes.interrupted;
    });
  program
    .command("down")
    .description("end what `coalmine up` or the main job left running")
    .option("--forget", "also remove its state", false)
    .example("down")
    .example("down --forget")
    .action(async ({ forget }: { forget: boolean }) => {
      const all = [at, mainJobPlaces(at)];
      const running = all.flatMap((place) => findRunning(place) ?? []);
      if (running.length === 0 && !forget) needRunning(at);
      for (const { pid } of running) process.kill(pid, "SIGTERM");
      const deadline = performance.now() + DOWN_MS_MAX;
      const isUp = (): boolean => all.some((place) => findRunning(place) !== undefined);
      while (isUp() && performance.now() < deadline) await new Promise((later) => setTimeout(later, 200));
      if (isUp())
        throw new SystemError(
          "ERR_STILL_RUNNING",
          `process ${running.map(({ pid }) => pid).join(" and ")} has not ended within ${DOWN_MS_MAX / 1000} s; it still stops its devices, so wait and try again, or kill it: the next start cleans up`,
        );
      if (forget) for (const place of all) rmSync(place.state, { recursive: true, force: true });
      console.log(
        running.length === 0
          ? "nothing was running"
          : `process ${running.map(({ pid }) => pid).join(" and ")} has ended`,
      );
    });
}

interface UpWords extends UpAws {
  readonly processDevices: number;
  readonly hostedDevices: number;
  readonly seed: string;
  readonly aws: boolean;
}

interface CommissionWords {
  readonly settings: string;
  readonly wait: boolean;
  readonly json: boolean;
  readonly page: boolean;
  readonly terminal: boolean;
  readonly address: string;
  readonly port: number;
  readonly ownNetwork: boolean;
}

/** With somebody to ask, or without. */
function commissionCommand(at: Places, options: CommissionWords): string[] {
  const { settings, wait, json, page, terminal, address, port, ownNetwork } = options;
  const words = ["--settings", resolve(settings)];
  if (terminal) return [join(at.root, "commissioning/technician/main.ts"), ...words, "--terminal"];
  if (page)
    return [
      join(at.root, "commissioning/technician/main.ts"),
      ...words,
      "--address",
      address,
      "--port",
      String(port),
      ...(ownNetwork ? ["--own-network"] : []),
    ];
  const flags = [...(wait ? ["--wait"] : []), ...(json ? ["--json"] : [])];
  return [join(at.root, "commissioning/main.ts"), ...words, ...flags];
}

/** Where the system's own log lines go; what a person reads is said beside it. */
export function logFile(at: Places): (line: string) => void {
  const file = join(at.state, "system.log");
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  return (line) => appendFileSync(file, `${line}\n`);
}

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { systemClock } from "@coalmine/runtime/system-clock";
import { examine } from "../../commissioning/doctor/doctor.ts";
import type { Target } from "../../pipeline/target.ts";
import { answer } from "../answers/answers.ts";
import type { CliCommand } from "../command/command.ts";
import { wholeNumber } from "../command/words.ts";
import { statedRights } from "../device/stated-rights.ts";
import { environmentOf, findRunning, mainJobPlaces, needRunning, type Places } from "../system/state.ts";
import { closeAccount, openAccount } from "./account.ts";
import { targetsOfAccount } from "./account-targets.ts";
import { type DoctorFinding, lookAll, ofDevice } from "./check.ts";
import { accountChecks } from "./checks/account-checks.ts";
import { fleetChecks } from "./checks/fleet-checks.ts";
import { identityChecks } from "./checks/identity-checks.ts";
import { machineChecks, machineOf } from "./checks/machine-checks.ts";
import { costOf } from "./cost/cost.ts";
import { costText } from "./cost/cost-text.ts";
import { exitOf, lineOf } from "./told.ts";

const DEVICES_MAX = 1_000_000;
const NUCLEUS_ROOT = "/greengrass/v2";

export interface DoctorWords {
  readonly aws: boolean;
  readonly local: boolean;
  readonly cost: boolean;
  readonly root?: string;
  readonly serialFolder: string[];
  readonly region?: string;
  readonly devices: number;
  readonly alsoNeeds: string[];
  readonly json: boolean;
}

export function addDoctorCommand(program: CliCommand, at: Places): void {
  program
    .command("doctor")
    .description(
      "look for what fails in silence, and say what to do: on this core device (--root), on this machine and what runs on it (--local), or in an AWS account (--aws); without any, the core device where there is one, otherwise this machine",
    )
    .option("--root <folder>", `the folder of the core device to look at, such as ${NUCLEUS_ROOT}`)
    .option("--serial-folder <folder...>", "with --root: names that lead to serial ports", [
      "/dev/serial/by-id",
    ])
    .option("--local", "this machine, and the clouds of the system that runs on it", false)
    .option("--aws", "this machine, and the account that the environment's credentials open", false)
    .option("--region <name>", "with --aws: the region; AWS_REGION, or COALMINE_TARGETS, without it")
    .option(
      "--also-needs <action...>",
      "actions that components of your own need, such as dynamodb:PutItem",
      [],
    )
    .option(
      "--cost",
      "what a fleet costs a month on AWS, with the arithmetic; its --json is `coalmine schema cost`",
      false,
    )
    .option("--devices <n>", "with --cost: of how many devices", wholeNumber(1, DEVICES_MAX), 100)
    .answers("doctor")
    .example("doctor --aws --region eu-central-1")
    .example("doctor --root /greengrass/v2")
    .example("doctor --cost --devices 500")
    .action(async (words: DoctorWords) => {
      if (words.cost) {
        const cost = costOf(words.devices);
        if (words.json) answer("cost", cost);
        else console.log(costText(cost));
        return;
      }
      const findings = await look(at, words);
      if (words.json) answer("doctor", { findings });
      else for (const finding of findings) console.log(lineOf(finding));
      process.exitCode = exitOf(findings);
    });
}

async function look(at: Places, words: DoctorWords): Promise<DoctorFinding[]> {
  const { aws, local, root, serialFolder } = words;
  const device =
    root ?? (!aws && !local && existsSync(join(NUCLEUS_ROOT, "config")) ? NUCLEUS_ROOT : undefined);
  const findings: DoctorFinding[] = [];
  if (device !== undefined)
    findings.push(
      ...(
        await examine({
          root: resolve(device),
          serialFolders: serialFolder.map((folder) => resolve(folder)),
          needed: statedRights(at.root),
          clock: systemClock,
        })
      ).map(ofDevice),
    );
  if (device === undefined || aws || local) findings.push(...(await lookAll(machineChecks, machineOf(at))));
  if (local || (device === undefined && !aws)) {
    const running = local ? needRunning(at) : (findRunning(at) ?? findRunning(mainJobPlaces(at)));
    if (running !== undefined) {
      Object.assign(process.env, environmentOf(running));
      findings.push(...(await lookAtTargets(running.targets, words)));
    }
  }
  if (aws) findings.push(...(await lookAtTargets(await targetsOfAccount(words.region, process.env), words)));
  return findings;
}

async function lookAtTargets(
  targets: readonly Target[],
  { alsoNeeds }: DoctorWords,
): Promise<DoctorFinding[]> {
  const findings: DoctorFinding[] = [];
  for (const target of targets) {
    const account = openAccount(target, { clock: systemClock, alsoNeeded: alsoNeeds });
    try {
      const first = await lookAll(accountChecks.slice(0, 1), account);
      const rest =
        first[0]?.state === "failed" ? [] : [...accountChecks.slice(1), ...identityChecks, ...fleetChecks];
      for (const { check, ...found } of [...first, ...(await lookAll(rest, account))])
        findings.push({ check: targets.length > 1 ? `${target.name}: ${check}` : check, ...found });
    } finally {
      closeAccount(account);
    }
  }
  return findings;
}

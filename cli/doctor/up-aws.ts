import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CoalmineError, messageOf } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { exitCodes } from "../exit-codes.ts";
import type { Places } from "../system/state.ts";
import { callerOf, closeAccount, openAccount } from "./account.ts";
import { regionOf, targetOf, targetsOfAccount } from "./account-targets.ts";
import { type DoctorFinding, lookAll } from "./check.ts";
import { accountChecks } from "./checks/account-checks.ts";
import { machineChecks, machineOf } from "./checks/machine-checks.ts";
import { exitOf, lineOf } from "./told.ts";

export interface UpAws {
  readonly region?: string;
  readonly repository?: string;
  readonly connection?: string;
  /** Further values for the stacks, each as `key=value`. */
  readonly context?: readonly string[];
}

export class UpAwsError extends CoalmineError {
  readonly code = "ERR_UP_AWS";
}

/** Whether the account is ready, and the commands that bring it up, with their values. Changes nothing itself. */
export async function bringUpAws(at: Places, asked: UpAws): Promise<number> {
  const region = regionOf(asked.region, process.env);
  const source = sourceOf(asked);
  const more = contextOf(asked.context ?? []);
  const findings: DoctorFinding[] = [...(await lookAll(machineChecks, machineOf(at)))];
  const [place = targetOf(region, "unknown")] = await targetsOfAccount(region, process.env);
  const account = openAccount(place, { clock: systemClock, alsoNeeded: [] });
  let accountId = "";
  try {
    const [credentials, ...others] = accountChecks;
    if (credentials !== undefined) findings.push(...(await lookAll([credentials], account)));
    if (!findings.some(({ state }) => state === "failed")) {
      ({ accountId } = await callerOf(account));
      findings.push(...(await lookAll(others, account)));
    }
  } finally {
    closeAccount(account);
  }
  for (const finding of findings) console.log(lineOf(finding));
  if (findings.some(({ state }) => state === "failed")) {
    console.error(
      "\nthis account is not ready: nothing was changed. Do what stands behind `do:`, and ask again.",
    );
    return exitOf(findings);
  }
  console.log(`\n${(await commandsOf({ accountId, region, ...source, more })).join("\n")}`);
  return exitCodes.done;
}

interface Source {
  readonly owner: string;
  readonly name: string;
  readonly connectionArn: string;
}

function sourceOf({ repository, connection }: UpAws): Source {
  const [, owner, name] = /^([\w.-]+)\/([\w.-]+)$/.exec(repository ?? "") ?? [];
  if (owner === undefined || name === undefined)
    throw new UpAwsError("name what is pushed to: --repository OWNER/NAME, as the connection knows it");
  if (
    connection === undefined ||
    !/^arn:aws[\w-]*:(codeconnections|codestar-connections):[a-z0-9-]+:\d{12}:connection\/[\w-]+$/.test(
      connection,
    )
  )
    throw new UpAwsError(
      "name the connection to it: --connection ARN. The console makes one under Developer Tools, Connections; it has to be AVAILABLE",
    );
  return { owner, name, connectionArn: connection };
}

function contextOf(pairs: readonly string[]): Record<string, string> {
  const wrong = pairs.find((pair) => !/^\w+=/.test(pair));
  if (wrong !== undefined)
    throw new UpAwsError(`"${wrong}" is no --context: one looks like signers=signers.json`);
  return Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
  );
}

/** One numbered line each, to be typed as they stand. @throws UpAwsError where the stacks refuse the values */
async function commandsOf({
  accountId,
  region,
  owner,
  name,
  connectionArn,
  more,
}: Source & { accountId: string; region: string; more: Readonly<Record<string, string>> }): Promise<
  string[]
> {
  const context = {
    ...more,
    account: accountId,
    region,
    connectionArn,
    repositoryOwner: owner,
    repositoryName: name,
  };
  const stacks = await stacksOf(context);
  const flags = Object.entries(context).map(([key, value]) => `-c ${key}=${shellWord(value)}`);
  const targets = JSON.stringify([targetOf(region, accountId)]);
  const steps: readonly (readonly [string, string])[] = [
    ["once for an account and region", `npx aws-cdk@2 bootstrap aws://${accountId}/${region}`],
    ["the templates, made here", `npm run synth -- ${flags.join(" ")}`],
    ["the stacks", `npx aws-cdk@2 deploy --app cdk.out ${stacks.join(" ")}`],
    [
      "where rollouts go",
      `export AWS_REGION=${region} COALMINE_ACCOUNT=${accountId} COALMINE_TARGETS='${targets}'`,
    ],
    [
      "the first release, which nothing can be compared with",
      "npm run build && COALMINE_COMMIT=$(git rev-parse HEAD) node pipeline/stages/main.ts publish",
    ],
    [
      "to all devices that come, signed by somebody who is trusted; what runs is left alone",
      `npx coalmine fleet install --signers ${shellWord(more["signers"] ?? "signers.json")}`,
    ],
    ["whether all of it is as it has to be", `npx coalmine doctor --aws --region ${region}`],
    ["from now on, by pushing", "git push origin main"],
  ];
  return [
    `account ${accountId} in ${region} is ready. Bring it up by these:`,
    ...steps.flatMap(([what, command], index) => ["", `${index + 1}. ${what}`, `   ${command}`]),
    "",
    "what it costs: `npx coalmine doctor --cost`",
  ];
}

/** The stacks' names, as the stacks themselves say them. CDK is loaded only for this. */
async function stacksOf(context: Readonly<Record<string, string>>): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "coalmine-up-"));
  try {
    const { app } = await import("../../infra/app.ts");
    return app(context, folder).stacks.map(({ stackName }) => stackName);
  } catch (failure) {
    throw new UpAwsError(`the stacks refuse these values: ${messageOf(failure)}`, { cause: failure });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** As a shell takes it for one word: signers may be given as JSON. */
function shellWord(text: string): string {
  return /^[\w./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

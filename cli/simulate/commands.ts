import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Option } from "commander";
import { messageOf } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { answer } from "../answers/answers.ts";
import type { CliCommand } from "../command/command.ts";
import { wholeNumber } from "../command/words.ts";
import { exitCodes } from "../exit-codes.ts";
import { isMutant, mutantNames, mutants } from "../../simulator/fleet/mutants/catalogue.ts";
import { onStopAsked } from "../stop-asked.ts";
import type { Places } from "../system/state.ts";
import { isOnProcesses, playProcessScenario } from "./process-scenario.ts";
import { simulate } from "./simulate.ts";
import { tallyOf, type Tally } from "./tally.ts";
import { rolloutTold, tallyTold } from "./told.ts";

/** As many as `npm run rollout` has on the driven clock, for whom the policy is written. */
const DEVICES = 50;
const SEEDS_MAX = 1000;
const DEVICES_MAX = 10_000;

interface Options {
  readonly regression?: string;
  readonly seeds: number;
  readonly firstSeed: number;
  readonly devices?: number;
  readonly atOnce: number;
  readonly scenario?: string;
  readonly faults?: string;
  readonly seed: string;
  readonly json: boolean;
}

export function addSimulateCommand(program: CliCommand, at: Places): void {
  program
    .command("simulate")
    .description(
      "roll a release onto hosted devices alone, under the real controller, policy and judge, from one seed after the other; exits 0 where every seed may be promoted, 3 where every seed is halted, else 4",
    )
    .addOption(
      new Option("--regression <name>", "a bad release; without one nothing changes but versions").choices(
        mutantNames,
      ),
    )
    .option("--seeds <n>", "how many seeds", wholeNumber(1, SEEDS_MAX), 1)
    .option(
      "--first-seed <n>",
      "the first of them; a seed gives the same again",
      wholeNumber(1, Number.MAX_SAFE_INTEGER - SEEDS_MAX),
      1,
    )
    .option(
      "--devices <n>",
      `hosted devices of each seed (${DEVICES}; of a scenario 20)`,
      wholeNumber(1, DEVICES_MAX),
    )
    .option(
      "--at-once <n>",
      "regions that live at the same time, each on a core",
      wholeNumber(1, SEEDS_MAX),
      2,
    )
    .option(
      "--scenario <name>",
      "play one of the fleet's scenarios instead, with what was built last (simulator/fleet/scenarios/README.md)",
    )
    .option("--faults <file>", "a list of faults that is played instead of the scenario's own")
    .option("--seed <text>", "the scenario's seed", "1")
    .answers("simulate")
    .example("simulate --regression slow-inference --seeds 5")
    .example("simulate --scenario quiet --seed 7 --json")
    .action((options: Options) => (options.scenario === undefined ? run(at, options) : play(at, options)));
}

async function run(at: Places, options: Options): Promise<void> {
  const { regression, seeds, firstSeed, devices = DEVICES, atOnce, json } = options;
  const interrupted = new AbortController();
  onStopAsked((signal) => interrupted.abort(new Error(`interrupted by ${signal}; what ran was stopped`)));
  try {
    const rollouts = await simulate({
      at,
      change: regression !== undefined && isMutant(regression) ? mutants[regression] : undefined,
      policy: readFileSync(join(at.root, "pipeline/policy.yaml"), "utf8"),
      seeds: Array.from({ length: seeds }, (_, index) => String(firstSeed + index)),
      devices,
      regionsMax: atOnce,
      clock: systemClock,
      signal: interrupted.signal,
      // With --json the one line is all of standard output.
      told: (rollout) => (json ? console.error : console.log)(rolloutTold(rollout)),
    });
    const tally = tallyOf(rollouts);
    const release = regression ?? "unchanged";
    if (json) answer("simulate", { release, devices, ...tally, rollouts });
    else console.log(`\n${release}: ${tallyTold(tally)}`);
    process.exitCode = exitOf(tally);
  } catch (failure) {
    if (!interrupted.signal.aborted) throw failure;
    console.error(messageOf(interrupted.signal.reason));
    process.exitCode = exitCodes.interrupted;
  }
}

/** One word for all seeds; where they differ there is none. */
function exitOf({ seeds, halted, promotable }: Tally): number {
  if (halted === seeds) return exitCodes.halted;
  return promotable === seeds ? exitCodes.done : exitCodes.notEnoughEvidence;
}

/** Scenarios of hosted devices are the simulator's own program; process devices are commissioned, which it cannot do. */
async function play(at: Places, options: Options): Promise<void> {
  const { root, base } = at;
  const { scenario = "", faults, seed, devices, json } = options;
  if (faults === undefined && isOnProcesses(scenario)) {
    process.exitCode = await playProcessScenario(at, {
      scenario,
      seed,
      ...(devices === undefined ? {} : { devices }),
      json,
      running: join(root, "dist"),
    });
    return;
  }
  const words = ["simulate", "--scenario", scenario, "--seed", seed, "--running", join(root, "dist")];
  words.push("--keep", join(base, "faults"));
  if (faults !== undefined) words.push("--faults", faults);
  if (devices !== undefined) words.push("--devices", String(devices));
  if (json) words.push("--json");
  const { status } = spawnSync(process.execPath, [join(root, "simulator/fleet/main.ts"), ...words], {
    stdio: "inherit",
  });
  process.exitCode = status ?? exitCodes.unexpected;
}

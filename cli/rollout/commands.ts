import { Option } from "commander";
import { RolloutSummary } from "@coalmine/contract";
import { hold, promote, resume, rollback, type Decided, type DecisionInput } from "../../api/decide.ts";
import { listRollouts } from "../../api/describe.ts";
import { showRollout } from "../../api/show.ts";
import type { Api } from "../../api/api.ts";
import { HOSTED_DEVICES_MAX, PROCESS_DEVICES_MAX } from "../fleet/sizes.ts";
import { onStopAsked } from "../stop-asked.ts";
import { answer } from "../answers/answers.ts";
import { asking, openRegions } from "../asked/asked.ts";
import type { CliCommand } from "../command/command.ts";
import { wholeNumber } from "../command/words.ts";
import { exitCodes } from "../exit-codes.ts";
import { logFile } from "../system/commands.ts";
import { closeRegion } from "../../pipeline/controller/region.ts";
import { mainJobPlaces, type Places } from "../system/state.ts";
import { latest } from "./latest.ts";
import { beginAnew, mainJob } from "./main-job.ts";
import { rolloutText } from "./show-text.ts";
import { addWatch } from "./watch.ts";
import { isMutant, mutantNames } from "../../simulator/fleet/mutants/catalogue.ts";

const exits = {
  promoted: exitCodes.done,
  halted: exitCodes.halted,
  inconclusive: exitCodes.notEnoughEvidence,
  failed: exitCodes.unexpected,
} as const;

export function addRolloutCommands(program: CliCommand, at: Places): CliCommand {
  const rollout = program.command("rollout").description("what is on its way to the fleets");
  rollout
    .command("run")
    .description(
      "the main job: bring everything up, push a change, follow it to the main fleet, and clean up",
    )
    .addOption(new Option("--regression <name>", "plant a bad release instead").choices(mutantNames))
    .addOption(new Option("--let-past <stage>", "record an override for a stage").choices(["rehearse"]))
    .option("--process-devices <n>", "core devices as processes", wholeNumber(1, PROCESS_DEVICES_MAX), 4)
    .option(
      "--hosted-devices <n>",
      "core devices on the driven clock",
      wholeNumber(1, HOSTED_DEVICES_MAX),
      50,
    )
    .option("--seed <text>", "seed of the driven region", "1")
    .answers("rollout-run")
    .example("rollout run")
    .example("rollout run --regression wrong-calibration")
    .action((options: RunOptions) => run(at, options));

  rollout
    .command("promote")
    .argument("<rollout>", "its name, or the beginning of it")
    .description("let the main fleets follow")
    .requiredOption("--reason <text>", "why; the audit log keeps it")
    .option("--emergency", "let it through unjudged, which takes two different people", false)
    .answers("decided")
    .example('rollout promote 1f3a9c2b --reason "canary is well"')
    .action((name: string, { reason, emergency, json }: Promotion) =>
      decideOn(at, (api, input) => promote(api, { ...input, emergency }), { rollout: name, reason }, json),
    );
  for (const [verb, decide, what] of [
    ["hold", hold, "stop where it is, until somebody resumes it"],
    ["resume", resume, "go on from a hold"],
    ["rollback", rollback, "take it back everywhere"],
  ] as const) {
    rollout
      .command(verb)
      .argument("<rollout>", "its name, or the beginning of it")
      .description(what)
      .requiredOption("--reason <text>", "why; the audit log keeps it")
      .answers("decided")
      .example(`rollout ${verb} 1f3a9c2b --reason "ward 7 is short of staff"`)
      .action((name: string, { reason, json }: { reason: string; json: boolean }) =>
        decideOn(at, decide, { rollout: name, reason }, json),
      );
  }
  rollout
    .command("list")
    .description("the latest rollouts, newest first")
    .answers("rollout-list")
    .example("rollout list")
    .action(({ json }: { json: boolean }) =>
      asking(at, async (api) => {
        const found = await listRollouts(api);
        if (json) answer("rollout-list", found);
        else if (found.length === 0) console.log("there is none yet: push something");
        else
          for (const one of found)
            console.log(`${one.rollout}  ${one.phase}  ${one.because ?? ""}`.trimEnd());
      }),
    );
  rollout
    .command("show")
    .argument("[rollout]", "its name, or the beginning of it; the latest without one")
    .description("one rollout and where each device is")
    .answers("rollout-show")
    .example("rollout show")
    .example("rollout show 1f3a9c2b --json")
    .action((name: string | undefined, { json }: { json: boolean }) =>
      asking(at, async (api, asked) => {
        const wanted = name ?? (await latest(api));
        const regions = openRegions(asked);
        try {
          const shown = await showRollout(api, regions, { rollout: wanted });
          if (json) answer("rollout-show", shown);
          else console.log(rolloutText(shown));
        } finally {
          regions.forEach(closeRegion);
        }
      }),
    );
  addWatch(rollout, at);
  return rollout;
}

interface Promotion {
  readonly reason: string;
  readonly emergency: boolean;
  readonly json: boolean;
}

interface RunOptions {
  readonly json: boolean;
  readonly regression?: string;
  readonly letPast?: string;
  readonly processDevices: number;
  readonly hostedDevices: number;
  readonly seed: string;
}

async function run(at: Places, options: RunOptions): Promise<void> {
  const { regression, letPast, json } = options;
  const job = mainJobPlaces(at);
  const interrupted = new AbortController();
  onStopAsked((signal) =>
    interrupted.abort(
      new Error(`interrupted by ${signal}; what ran was stopped, and the next run begins anew`),
    ),
  );
  const began = performance.now();
  const say = (sentence: string): void => {
    const line = `[${((performance.now() - began) / 1000).toFixed(0).padStart(4)} s] ${sentence}`;
    // With --json the one line is all of standard output.
    if (json) console.error(line);
    else console.log(line);
  };
  try {
    await beginAnew(job, say);
    const summary = RolloutSummary.parse(
      await mainJob({
        at: job,
        ...options,
        regression: regression !== undefined && isMutant(regression) ? regression : undefined,
        letPast: letPast === "rehearse" ? letPast : undefined,
        say,
        logLine: logFile(job),
        signal: interrupted.signal,
      }),
    );
    if (json) answer("rollout-run", summary);
    else tell(summary);
    process.exitCode = exits[summary.outcome];
  } catch (failure) {
    if (!interrupted.signal.aborted) throw failure;
    console.error(
      interrupted.signal.reason instanceof Error ? interrupted.signal.reason.message : "interrupted",
    );
    process.exitCode = exitCodes.interrupted;
  }
}

function tell(summary: RolloutSummary): void {
  const { fleet, readings, seconds } = summary;
  console.log(`
release ${summary.release}: ${summary.outcome.toUpperCase()}
  why       ${summary.why}
  fleet     ${fleet.process} process devices, ${fleet.hosted} hosted devices, ${fleet.canary} of all were canaries, ${summary.soakHours} h of soak
  readings  ${readings.sent} points sent by the instruments, ${readings.rows} rows in the lakes, ${readings.lost} lost, ${readings.doubled} doubled
  memory    ${summary.memoryMiB} MiB at the peak, of everything together
  seconds   ${Object.entries(seconds)
    .map(([stage, value]) => `${stage} ${value}`)
    .join(", ")}`);
}

/** A decision of whoever runs this command. */
function decideOn(
  at: Places,
  decide: (api: Api, input: DecisionInput) => Promise<Decided>,
  input: Omit<DecisionInput, "who">,
  json: boolean,
): Promise<void> {
  return asking(at, async (api, { who }) => {
    const decided = await decide(api, { ...input, who });
    if (json) answer("decided", decided);
    else
      console.log(
        `${decided.rollout} is ${decided.phase} now; entry ${decided.sequence} of its audit log says who and why. ${decided.next}`,
      );
  });
}

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { keptJudgement, replayKept, verifyKept } from "../../api/kept-verdicts.ts";
import { judgementOf } from "../../pipeline/judge/judgement.ts";
import { drawOf } from "../../pipeline/judge/draw.ts";
import { parseBundle, readBundle, readDevices, readJudgement } from "../../pipeline/judge/read-bundle.ts";
import type { Verdict } from "../../pipeline/judge/verdict.ts";
import { verifyJudgement } from "../../pipeline/judge/verify.ts";
import { withPolicy } from "../../pipeline/policy-bundle.ts";
import { parsePolicy } from "../../pipeline/policy.ts";
import { answer } from "../answers/answers.ts";
import { asking } from "../asked/asked.ts";
import type { CliCommand } from "../command/command.ts";
import { wholeNumber } from "../command/words.ts";
import { exitCodes } from "../exit-codes.ts";
import type { Places } from "../system/state.ts";
import { readInput } from "../input-file.ts";
import { faultsTold, replayTold, verdictTold, verificationTold } from "./told.ts";

const exits: Readonly<Record<Verdict["verdict"], number>> = {
  PROMOTE: exitCodes.done,
  HALT: exitCodes.halted,
  INCONCLUSIVE: exitCodes.notEnoughEvidence,
  WAIT: exitCodes.timedOut,
};

interface Kept {
  readonly target?: string;
  readonly json: boolean;
}

/** `coalmine judge`: the judge by itself, on anybody's data and on what a rollout kept. */
export function addJudgeCommands(program: CliCommand, at: Places): void {
  const judge = program.command("judge").description("compare devices that changed with those that did not");
  judge
    .command("run")
    .argument("<bundle>", "a file, as docs/judge-bundle.md has it")
    .description(
      "judge a bundle, a file as docs/judge-bundle.md has it; exits 0 for PROMOTE, 3 HALT, 4 INCONCLUSIVE, 5 WAIT, 2 where it cannot be judged",
    )
    .option("--policy <file>", "by another policy: one with targets, or a bundle's metrics and policy")
    .answers("judge-run")
    .example("judge run docs/judge-bundle.example.json")
    .example("judge run bundle.json --policy pipeline/policy.yaml --json > verdict.json")
    .action((file: string, { policy, json }: { policy?: string; json: boolean }) => {
      const own = readBundle(readInput(file, "a bundle"), file);
      const bundle = policy === undefined ? own : withPolicy(own, readInput(policy, "a policy"), file);
      const judgement = judgementOf(bundle);
      if (json) answer("judge-run", judgement);
      else console.log(`${verdictTold(judgement.verdict)}\n  bundle ${judgement.bundle.sha256}`);
      process.exitCode = exits[judgement.verdict.verdict];
    });
  judge
    .command("draw")
    .argument("<devices>", "a file with a list of devices, or a bundle")
    .description(
      "draw a canary: a file with a list of devices, or a bundle, gives the `draw` that a bundle takes, always as JSON; the same seed always the same",
    )
    .requiredOption("--canary <n>", "how many devices at most", wholeNumber(1))
    .requiredOption("--seed <text>", "keep it secret until the draw, and commit to it before")
    .answers("judge-draw")
    .example("judge draw devices.json --canary 5 --seed 8f31")
    .action((file: string, { canary, seed }: { canary: number; seed: string }) => {
      answer("judge-draw", drawOf(readDevices(readInput(file, "a list of devices"), file), canary, seed));
    });
  judge
    .command("verify")
    .argument("<of>", "a rollout, or a verdict's file")
    .argument("[bundle]", "the file of the bundle that the verdict is of")
    .description(
      "compute draw, p and verdict again, byte for byte: of a verdict's file and its bundle's, offline, or of a rollout and what was kept of it; exits 0 where all fits",
    )
    .option("--target <name>", "of a rollout, one target alone")
    .answers("judge-verify")
    .example("judge verify 1f3a9c2b")
    .example("judge verify verdict.json bundle.json")
    .action((of: string, file: string | undefined, options: Kept) =>
      file === undefined ? verifyRollout(at, of, options) : verifyFiles(of, file, options),
    );
  judge
    .command("replay")
    .argument("<rollout>", "its name, or the beginning of it")
    .description("what another policy would have made of a past rollout, look by look beside what happened")
    .requiredOption("--policy <file>", "a policy with targets, as pipeline/policy.yaml")
    .option("--target <name>", "one target alone")
    .answers("judge-replay")
    .example("judge replay 1f3a9c2b --policy pipeline/policy.yaml")
    .action((rollout: string, { policy, target, json }: Kept & { policy: string }) =>
      asking(at, async (api) => {
        const other = parsePolicy(readInput(policy, "a policy"));
        const replayed = await replayKept(api, { rollout, target }, other);
        if (json) answer("judge-replay", replayed);
        else console.log(replayed.targets.map(replayTold).join("\n\n"));
      }),
    );
  judge
    .command("export")
    .argument("<rollout>", "its name, or the beginning of it")
    .description("a rollout's bundle and verdict as files, for whoever judges or verifies them elsewhere")
    .requiredOption("--to <folder>", "where bundle.json and verdict.json go")
    .option("--target <name>", "which target, where more than one was judged")
    .example("judge export 1f3a9c2b --target driven --to ./evidence")
    .action((rollout: string, { to, target }: { to: string; target?: string }) =>
      asking(at, async (api) => {
        const { bundle, judgement } = await keptJudgement(api, { rollout, target });
        mkdirSync(to, { recursive: true });
        writeFileSync(join(to, "bundle.json"), `${JSON.stringify(bundle)}\n`);
        writeFileSync(join(to, "verdict.json"), `${JSON.stringify(judgement)}\n`);
        console.log(`bundle.json and verdict.json of ${bundle.target} are in ${to}`);
      }),
    );
}

function verifyFiles(verdictFile: string, bundleFile: string, { json }: Kept): void {
  const told = readJudgement(readInput(verdictFile, "a verdict"), verdictFile);
  const bundle = parseBundle(readInput(bundleFile, "its bundle"), bundleFile);
  const faults = verifyJudgement(told, bundle);
  const ok = faults.length === 0;
  if (json) answer("judge-verify", { ok, sha256: told.bundle.sha256, faults });
  else
    console.log(
      ok
        ? `draw, p and verdict follow from the bundle ${told.bundle.sha256}, byte for byte; whoever has that figure from elsewhere, such as the audit log, knows that nothing was changed`
        : faultsTold(faults),
    );
  if (!ok) process.exitCode = exitCodes.unexpected;
}

function verifyRollout(at: Places, rollout: string, { target, json }: Kept): Promise<void> {
  return asking(at, async (api) => {
    const verification = await verifyKept(api, { rollout, target });
    if (json) answer("judge-verify", verification);
    else console.log(verificationTold(verification));
    if (!verification.ok) process.exitCode = exitCodes.unexpected;
  });
}

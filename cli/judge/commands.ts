import type { Command } from "commander";
import { judgementOf } from "../../pipeline/judge/judgement.ts";
import { readBundle } from "../../pipeline/judge/read-bundle.ts";
import type { Verdict } from "../../pipeline/judge/verdict.ts";
import { withPolicy } from "../../pipeline/policy-bundle.ts";
import { exitCodes } from "../exit-codes.ts";
import { readInput } from "./input-file.ts";
import { verdictTold } from "./told.ts";

const exits: Readonly<Record<Verdict["verdict"], number>> = {
  PROMOTE: exitCodes.done,
  HALT: exitCodes.halted,
  INCONCLUSIVE: exitCodes.notEnoughEvidence,
  WAIT: exitCodes.timedOut,
};

/** `coalmine judge`: the judge by itself, on anybody's data. */
export function addJudgeCommands(program: Command): void {
  const judge = program.command("judge").description("compare devices that changed with those that did not");
  judge
    .command("run <bundle>")
    .description(
      "judge a bundle, a file as docs/judge-bundle.md has it; exits 0 for PROMOTE, 3 HALT, 4 INCONCLUSIVE, 5 WAIT, 2 where it cannot be judged",
    )
    .option("--policy <file>", "by another policy: one with targets, or a bundle's metrics and policy")
    .option("--json", "one line of JSON", false)
    .action((file: string, { policy, json }: { policy?: string; json: boolean }) => {
      const own = readBundle(readInput(file, "a bundle"), file);
      const bundle = policy === undefined ? own : withPolicy(own, readInput(policy, "a policy"), file);
      const judgement = judgementOf(bundle);
      console.log(
        json
          ? JSON.stringify(judgement)
          : `${verdictTold(judgement.verdict)}\n  bundle ${judgement.bundle.sha256}`,
      );
      process.exitCode = exits[judgement.verdict.verdict];
    });
}

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { keptJudgement, replayKept, verifyKept } from "../../api/kept-verdicts.ts";
import { judgementOf } from "../../pipeline/judge/judgement.ts";
import { drawOf } from "../../pipeline/judge/draw.ts";
import { parseBundle, readBundle, readDevices, readJudgement } from "../../pipeline/judge/read-bundle.ts";
import type { Verdict } from "../../pipeline/judge/verdict.ts";
import { verifyJudgement } from "../../pipeline/judge/verify.ts";
import { withPolicy } from "../../pipeline/policy-bundle.ts";
import { parsePolicy } from "../../pipeline/policy.ts";
import { exitCodes } from "../exit-codes.ts";
import { asking } from "../rollout/local-api.ts";
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
export function addJudgeCommands(program: Command, at: Places): void {
  const judge = program.command("judge").description("compare devices that changed with those that did not");
  judge
    .command("run <bundle>")
    .description(
      "judge a bundle, a file as docs/judge-bundle.md has it; exits 0 for PROMOTE, 3 HALT, 4 INCONCLUSIVE, 5 WAIT, 2 where it cannot be judged",
    )
    .option("--policy <file>", "by another policy: one with targets, or a bundle's metrics and policy")
    .option("--json", "one line of JSON, which `judge verify` takes", false)
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
  judge
    .command("draw <devices>")
    .description(
      "draw a canary: a file with a list of devices, or a bundle, gives the `draw` that a bundle takes; the same seed always the same",
    )
    .requiredOption("--canary <n>", "how many devices at most", Number)
    .requiredOption("--seed <text>", "keep it secret until the draw, and commit to it before")
    .action((file: string, { canary, seed }: { canary: number; seed: string }) => {
      console.log(
        JSON.stringify(drawOf(readDevices(readInput(file, "a list of devices"), file), canary, seed)),
      );
    });
  judge
    .command("verify <of> [bundle]")
    .description(
      "compute draw, p and verdict again, byte for byte: of a verdict's file and its bundle's, offline, or of a rollout and what was kept of it; exits 0 where all fits",
    )
    .option("--target <name>", "of a rollout, one target alone")
    .option("--json", "as JSON", false)
    .action((of: string, file: string | undefined, options: Kept) =>
      file === undefined ? verifyRollout(at, of, options) : verifyFiles(of, file, options),
    );
  judge
    .command("replay <rollout>")
    .description("what another policy would have made of a past rollout, look by look beside what happened")
    .requiredOption("--policy <file>", "a policy with targets, as pipeline/policy.yaml")
    .option("--target <name>", "one target alone")
    .option("--json", "as JSON", false)
    .action((rollout: string, { policy, target, json }: Kept & { policy: string }) =>
      asking(at, async (api) => {
        const other = parsePolicy(readInput(policy, "a policy"));
        const replayed = await replayKept(api, { rollout, target }, other);
        console.log(json ? JSON.stringify(replayed) : replayed.targets.map(replayTold).join("\n\n"));
      }),
    );
  judge
    .command("export <rollout>")
    .description("a rollout's bundle and verdict as files, for whoever judges or verifies them elsewhere")
    .requiredOption("--to <folder>", "where bundle.json and verdict.json go")
    .option("--target <name>", "which target, where more than one was judged")
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
  if (json) console.log(JSON.stringify({ ok, sha256: told.bundle.sha256, faults }));
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
    console.log(json ? JSON.stringify(verification) : verificationTold(verification));
    if (!verification.ok) process.exitCode = exitCodes.unexpected;
  });
}

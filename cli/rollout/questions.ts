import { join } from "node:path";
import type { Command } from "commander";
import { explain, why } from "../../api/why.ts";
import { plan, readFleet } from "../../api/plan.ts";
import { closeRegion } from "../../pipeline/controller/region.ts";
import { parsePolicy } from "../../pipeline/policy.ts";
import { exitCodes } from "../exit-codes.ts";
import { readInput } from "../input-file.ts";
import { openRegions } from "../system/release.ts";
import { needRunning, type Places } from "../system/state.ts";
import { asking, localApi } from "./local-api.ts";

interface PlanOptions {
  readonly target: string;
  readonly policy: string;
  readonly hours?: number;
  readonly json: boolean;
}

/** What a person asks before and after a rollout. */
export function addQuestions(program: Command, rollout: Command, at: Places): void {
  rollout
    .command("plan")
    .description(
      "what a canary of this fleet could find, how surely an unchanged release is promoted, and why a policy cannot work here; exits 2 where it cannot",
    )
    .option("--target <name>", "which target", "driven")
    .option("--policy <file>", "the policy to try", join(at.root, "pipeline/policy.yaml"))
    .option("--hours <n>", "how far back the fleet's history is read; as far as is needed without it", Number)
    .option("--json", "as JSON", false)
    .action(async ({ target, policy: file, hours, json }: PlanOptions) => {
      const policy = parsePolicy(readInput(file, "a policy"));
      const { api } = localApi(needRunning(at));
      const regions = openRegions(api.targets);
      try {
        const of = regions.find((region) => region.target.name === target)?.target;
        const nowMs = of === undefined ? 0 : await api.time.now(of);
        const fleet = await readFleet(regions, policy, { target, hours }, nowMs);
        const planned = await plan(policy, target, fleet);
        console.log(json ? JSON.stringify(planned) : planned.sentences.join("\n"));
        if (planned.refusals.length > 0) process.exitCode = exitCodes.usage;
      } finally {
        regions.forEach(closeRegion);
      }
    });
  program
    .command("why <rollout>")
    .description(
      "why a rollout is where it is, in sentences; or what a word means that one of them gave as a reason, such as COMPONENT_BROKEN",
    )
    .option("--json", "as JSON", false)
    .action(async (name: string, { json }: { json: boolean }) => {
      const tell = (sentences: readonly string[]): void =>
        console.log(json ? JSON.stringify(sentences) : sentences.join("\n"));
      const explained = explain(name);
      if (explained !== undefined) tell([explained]);
      else await asking(at, async (api) => tell(await why(api, { rollout: name })));
    });
}

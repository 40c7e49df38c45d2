import { join } from "node:path";
import { ApiError } from "../../api/api-error.ts";
import { explain, why } from "../../api/why.ts";
import { catalogue } from "../../pipeline/why/catalogue.ts";
import { plan, readFleet } from "../../api/plan.ts";
import { closeRegion } from "../../pipeline/controller/region.ts";
import { parsePolicy } from "../../pipeline/policy.ts";
import { answer } from "../answers/answers.ts";
import { asking, openRegions } from "../asked/asked.ts";
import type { CliCommand } from "../command/command.ts";
import { positiveNumber } from "../command/words.ts";
import { exitCodes } from "../exit-codes.ts";
import { readInput } from "../input-file.ts";
import type { Places } from "../system/state.ts";
import { latest } from "./latest.ts";

interface PlanOptions {
  readonly target?: string;
  readonly policy: string;
  readonly hours?: number;
  readonly json: boolean;
}

/** What a person asks before and after a rollout. */
export function addQuestions(program: CliCommand, rollout: CliCommand, at: Places): void {
  rollout
    .command("plan")
    .description(
      "what a canary of this fleet could find, how surely an unchanged release is promoted, and why a policy cannot work here; exits 2 where it cannot",
    )
    .option("--target <name>", "which target; the last one without it, which on this machine is `driven`")
    .option("--policy <file>", "the policy to try", join(at.root, "pipeline/policy.yaml"))
    .option(
      "--hours <n>",
      "how far back the fleet's history is read; as far as is needed without it",
      positiveNumber,
    )
    .answers("rollout-plan")
    .example("rollout plan")
    .example("rollout plan --target driven --policy my-policy.yaml")
    .action(async ({ target: named, policy: file, hours, json }: PlanOptions) => {
      const policy = parsePolicy(readInput(file, "a policy"));
      await asking(at, async (api, asked) => {
        const regions = openRegions(asked);
        try {
          const name = named ?? regions.at(-1)?.target.name ?? "";
          const of = regions.find((region) => region.target.name === name)?.target;
          const nowMs = of === undefined ? 0 : await api.time.now(of);
          const fleet = await readFleet(regions, policy, { target: name, hours }, nowMs);
          const planned = await plan(policy, name, fleet);
          if (json) answer("rollout-plan", planned);
          else console.log(planned.sentences.join("\n"));
          if (planned.refusals.length > 0) process.exitCode = exitCodes.usage;
        } finally {
          regions.forEach(closeRegion);
        }
      });
    });
  program
    .command("why")
    .argument("[what]", "a rollout, or a word such as COMPONENT_BROKEN; the latest rollout without one")
    .description(
      "why a rollout is where it is, in sentences; or what a word means that one of them, or a device, gave as a reason",
    )
    .answers("why")
    .example("why")
    .example("why 1f3a9c2b")
    .example("why COMPONENT_BROKEN")
    .action(async (what: string | undefined, { json }: { json: boolean }) => {
      const tell = (sentences: readonly string[]): void => {
        if (json) answer("why", sentences);
        else console.log(sentences.join("\n"));
      };
      const explained = what === undefined ? undefined : explain(what);
      if (explained !== undefined) tell([explained]);
      else if (what !== undefined && LIKE_A_WORD.test(what)) throw unknownWord(what);
      else await asking(at, async (api) => tell(await why(api, { rollout: what ?? (await latest(api)) })));
    });
}

/** Devices and the judge spell their reasons so; a rollout is named by a commit. */
const LIKE_A_WORD = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/;
/** Words that are offered where one is not known. */
const NEAR_MAX = 5;
const SHARED_LETTERS_MIN = 4;

function unknownWord(word: string): ApiError {
  const shared = (known: string): number => {
    let letters = 0;
    while (letters < known.length && known[letters] === word[letters]) letters++;
    return letters;
  };
  const near = [...catalogue.keys()]
    .filter((known) => shared(known) >= SHARED_LETTERS_MIN)
    .sort((a, b) => shared(b) - shared(a))
    .slice(0, NEAR_MAX);
  return new ApiError(
    "ERR_API_NOT_FOUND",
    `no word "${word}" is known${near.length === 0 ? "; name a rollout, or a word as a device spells it" : `; near it are ${near.join(", ")}`}`,
  );
}

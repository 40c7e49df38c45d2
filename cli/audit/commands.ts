import { writeFileSync } from "node:fs";
import { auditEntries, auditVerify, listRollouts } from "../../api/describe.ts";
import { answer } from "../answers/answers.ts";
import { asking } from "../asked/asked.ts";
import type { CliCommand } from "../command/command.ts";
import { paint } from "../command/paint.ts";
import { exitCodes } from "../exit-codes.ts";
import type { Places } from "../system/state.ts";

/** Rollouts that `list` follows; older ones are verified by their names. */
const LISTED_MAX = 20;

interface Json {
  readonly json: boolean;
}

/** `coalmine audit`: what was recorded of a rollout, each entry holding the hash of the one before. */
export function addAuditCommands(program: CliCommand, at: Places): void {
  const audit = program
    .command("audit")
    .description("what was recorded, and whether it still is what was recorded");
  audit
    .command("list")
    .description(
      `the logs of the latest ${LISTED_MAX} rollouts, each verified; exits 1 where one does not hold`,
    )
    .answers("audit-list")
    .example("audit list")
    .action(({ json }: Json) =>
      asking(at, async (api) => {
        const found = [];
        for (const { rollout } of await listRollouts(api, { limit: LISTED_MAX }))
          found.push(await auditVerify(api, { rollout }));
        if (json) answer("audit-list", found);
        else if (found.length === 0) console.log("nothing is recorded yet: push something");
        else for (const finding of found) console.log(inShort(finding));
        if (found.some(({ ok }) => !ok)) process.exitCode = exitCodes.unexpected;
      }),
    );
  audit
    .command("verify")
    .argument("<rollout>", "its name, or the beginning of it")
    .description("follow the chain of entries; exits 1 where one was changed, and names it")
    .option(
      "--noted <sha256>",
      "the hash of an entry that was written down elsewhere: it has to be there still",
    )
    .answers("audit-verify")
    .example("audit verify 1f3a9c2b")
    .example("audit verify 1f3a9c2b --noted $NOTED")
    .action((name: string, { noted, json }: Json & { noted?: string }) =>
      asking(at, async (api) => {
        const finding = await auditVerify(api, { rollout: name, noted });
        if (json) answer("audit-verify", finding);
        else
          console.log(
            finding.ok
              ? `all ${finding.entries} entries of ${finding.rollout} are as they were written. The last has the hash\n${finding.head}\nWrite it down elsewhere: --noted then finds a log that was cut off or written anew.`
              : `the audit log of ${finding.rollout} does not hold: ${finding.because}. What is known of this rollout from here on is not proven; a backup of the table, where there is one, has the original.`,
          );
        if (!finding.ok) process.exitCode = exitCodes.unexpected;
      }),
    );
  audit
    .command("export")
    .argument("<rollout>", "its name, or the beginning of it")
    .description(
      "the whole log as one JSON document that opens without this program: each entry's `text` has the SHA-256 that the next one names as `previous`",
    )
    .option("--to <file>", "write it there, instead of to standard output")
    .answers("audit-export")
    .example("audit export 1f3a9c2b --to audit.json")
    .action((name: string, { to, json }: Json & { to?: string }) =>
      asking(at, async (api) => {
        const log = await auditEntries(api, { rollout: name });
        const text = JSON.stringify(log, null, json ? 0 : 2);
        if (to === undefined) console.log(text);
        else {
          writeFileSync(to, `${text}\n`, { mode: 0o640 });
          console.error(`${log.entries.length} entries of ${log.rollout} are in ${to}`);
        }
        if (!log.ok) {
          console.error(`the log does not hold: ${log.because ?? "an entry was changed"}`);
          process.exitCode = exitCodes.unexpected;
        }
      }),
    );
}

function inShort(finding: Awaited<ReturnType<typeof auditVerify>>): string {
  return finding.ok
    ? `${paint("green", "holds ")}  ${finding.rollout}  ${finding.entries} entries, head ${finding.head.slice(0, 12)}…`
    : `${paint("red", "BROKEN")}  ${finding.rollout}  ${finding.because}`;
}

import type { Command } from "commander";
import { auditVerify } from "../../api/describe.ts";
import { exitCodes } from "../exit-codes.ts";
import { asking } from "../rollout/local-api.ts";
import type { Places } from "../system/state.ts";

/** `coalmine audit`: what was recorded of a rollout, each entry holding the hash of the one before. */
export function addAuditCommands(program: Command, at: Places): void {
  program
    .command("audit")
    .description("what was recorded, and whether it still is what was recorded")
    .command("verify <rollout>")
    .description("follow the chain of entries; exits 1 where one was changed, and names it")
    .option(
      "--noted <sha256>",
      "the hash of an entry that was written down elsewhere: it has to be there still",
    )
    .option("--json", "as JSON", false)
    .action((name: string, { noted, json }: { noted?: string; json: boolean }) =>
      asking(at, async (api) => {
        const finding = await auditVerify(api, { rollout: name, noted });
        if (json) console.log(JSON.stringify(finding));
        else
          console.log(
            finding.ok
              ? `all ${finding.entries} entries of ${finding.rollout} are as they were written. The last has the hash\n${finding.head}\nWrite it down elsewhere: --noted then finds a log that was cut off or written anew.`
              : `the audit log of ${finding.rollout} does not hold: ${finding.because}. What is known of this rollout from here on is not proven; a backup of the table, where there is one, has the original.`,
          );
        if (!finding.ok) process.exitCode = exitCodes.unexpected;
      }),
    );
}

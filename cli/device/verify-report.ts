import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Verdict, verifyReport } from "../../commissioning/report/verify.ts";
import { answer } from "../answers/answers.ts";
import type { CliCommand } from "../command/command.ts";
import { exitCodes } from "../exit-codes.ts";
import { readInput } from "../input-file.ts";

interface Verify {
  readonly seal?: string;
  readonly json: boolean;
}

/** `coalmine device verify`: whether what commissioning left about a device is as it was written. Asks nobody. */
export function addVerifyCommand(device: CliCommand): void {
  device
    .command("verify")
    .argument("<file>", "report.json, report.html or report.pdf, as the device wrote it")
    .description(
      "compare a commissioning report with its hash and its device's signature; exits 1 where it was changed, and says what",
    )
    .option("--seal <file>", "of report.json; without it, report.seal.json beside it")
    .answers("device-verify")
    .example("device verify report.pdf")
    .example("device verify report.json --seal report.seal.json --json")
    .action((file: string, { seal, json }: Verify) => {
      const found = verifyReport(readInput(file, "the report as the device wrote it"), sealOf(file, seal));
      if (json) answer("device-verify", { file, ...found });
      else console.log(told(file, found));
      if (!found.genuine) process.exitCode = exitCodes.unexpected;
    });
}

/** A page and a PDF carry theirs. */
function sealOf(file: string, named: string | undefined): string | undefined {
  const beside = join(dirname(file), "report.seal.json");
  const seal = named ?? (existsSync(beside) ? beside : undefined);
  return seal === undefined ? undefined : readInput(seal, "the seal of the report");
}

function told(file: string, found: Verdict): string {
  if (!found.genuine)
    return `${file} is not as it was written: ${found.sentence}. Ask for the report again, or look at the copy that the operators keep (\`coalmine device show\`).`;
  const { sha256, signer } = found;
  return [
    `${file} is as it was written. Its data has the SHA-256`,
    sha256,
    signer === undefined
      ? "Nobody signed it: the device had no identity yet, so that anyone could have written it."
      : `and is signed by the key of the certificate\n${signer}\nThat this is the device's own, AWS IoT knows: \`aws iot describe-certificate\`.`,
  ].join("\n");
}

/** The `coalmine` command. Thin: each noun hands over to the part that knows. */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { CoalmineError, messageOf } from "@coalmine/runtime";
import { addAuditCommands } from "./audit/commands.ts";
import { addCloudCommands } from "./cloud/commands.ts";
import { addComponentCommands } from "./component/commands.ts";
import { addClaimCommands } from "./device/claim-commands.ts";
import { addDeviceCommands } from "./device/commands.ts";
import { exitCodes } from "./exit-codes.ts";
import { addJudgeCommands } from "./judge/commands.ts";
import { addQueueCommands } from "./queue/commands.ts";
import { addRolloutCommands } from "./rollout/commands.ts";
import { addSimulateCommand } from "./simulate/commands.ts";
import { addSystemCommands } from "./system/commands.ts";
import { places } from "./system/state.ts";

const at = places(dirname(dirname(fileURLToPath(import.meta.url))), process.env);
const program = new Command("coalmine")
  .description("Components, rollouts and fleets of AWS IoT Greengrass")
  .exitOverride();
addSystemCommands(program, at);
addRolloutCommands(program, at);
addDeviceCommands(program, at);
addClaimCommands(program, at);
addQueueCommands(program, at);
addJudgeCommands(program, at);
addSimulateCommand(program, at);
addAuditCommands(program, at);
addComponentCommands(program, at.root);
addCloudCommands(program, at);

try {
  await program.parseAsync();
} catch (failure) {
  if (failure instanceof Error && "code" in failure && String(failure.code).startsWith("commander.")) {
    process.exitCode =
      String(failure.code) === "commander.helpDisplayed" || String(failure.code) === "commander.help"
        ? 0
        : exitCodes.usage;
  } else {
    console.error(failure instanceof CoalmineError ? failure.message : messageOf(failure));
    if (!(failure instanceof CoalmineError) && failure instanceof Error) console.error(failure.stack);
    process.exitCode = exitCodes.of(failure);
  }
}
// Everything that was opened is closed by now; what a library still holds open (kept-alive sockets) must not hold us.
process.exit();

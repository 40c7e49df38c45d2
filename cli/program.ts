import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { addAuditCommands } from "./audit/commands.ts";
import { addCloudCommands } from "./cloud/commands.ts";
import { type CliCommand, coalmine } from "./command/command.ts";
import { addShellCommands } from "./command/shell-commands.ts";
import { addComponentCommands } from "./component/commands.ts";
import { addDeviceCommands } from "./device/commands.ts";
import { addDoctorCommand } from "./doctor/commands.ts";
import { addFleetCommands } from "./fleet/commands.ts";
import { addJudgeCommands } from "./judge/commands.ts";
import { addQueueCommands } from "./queue/commands.ts";
import { addRolloutCommands } from "./rollout/commands.ts";
import { addQuestions } from "./rollout/questions.ts";
import { addSimulateCommand } from "./simulate/commands.ts";
import { addSystemCommands } from "./system/commands.ts";
import type { Places } from "./system/state.ts";

/** The whole command, as a tree of nouns and verbs. */
export function coalmineProgram(at: Places): CliCommand {
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(join(at.root, "package.json"), "utf8")));
  const program = coalmine(version);
  addSystemCommands(program, at);
  const rollout = addRolloutCommands(program, at);
  addQuestions(program, rollout, at);
  addFleetCommands(program, at);
  addDeviceCommands(program, at);
  addComponentCommands(program, at);
  addJudgeCommands(program, at);
  addAuditCommands(program, at);
  addQueueCommands(program, at);
  addCloudCommands(program, at);
  addSimulateCommand(program, at);
  addDoctorCommand(program, at);
  addShellCommands(program);
  return program;
}

import type { Command } from "commander";
import type { Places } from "../system/state.ts";

export function addRolloutCommands(program: Command, at: Places): void {
  program.command("rollout").description(`rollouts of ${at.root}`);
}

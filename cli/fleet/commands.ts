import { listFleets } from "../../api/fleets/list-fleets.ts";
import { answer } from "../answers/answers.ts";
import type { CliCommand } from "../command/command.ts";
import type { Places } from "../system/state.ts";
import { fleetLines, versionLines } from "./fleet-text.ts";
import { askingFleets } from "./fleets-api.ts";
import { addInstallCommand } from "./install-command.ts";

interface Json {
  readonly json: boolean;
}

/** `coalmine fleet`: what each target's devices are, and what they run. */
export function addFleetCommands(program: CliCommand, at: Places): void {
  const fleet = program.command("fleet").description("the devices of each target: cohorts, health, versions");
  fleet
    .command("list")
    .description("every fleet in short, with the revision in force and how old what is known of it is")
    .answers("fleet-list")
    .example("fleet list")
    .action(({ json }: Json) =>
      askingFleets(at, undefined, async ({ api, watches }) => {
        const fleets = await listFleets(api, watches);
        if (json) answer("fleet-list", fleets);
        else console.log(fleets.flatMap(fleetLines).join("\n"));
      }),
    );
  fleet
    .command("show")
    .argument("<fleet>", "a target's name, as `fleet list` has it")
    .description(
      "one fleet with its components by version and cohort; a version that its group does not ask for is drift",
    )
    .answers("fleet-show")
    .example("fleet show home")
    .action((name: string, { json }: Json) =>
      askingFleets(at, name, async ({ api, watches }) => {
        for (const shown of await listFleets(api, watches))
          if (json) answer("fleet-show", shown);
          else console.log([...fleetLines(shown), ...versionLines(shown)].join("\n"));
      }),
    );
  addInstallCommand(fleet, at);
}

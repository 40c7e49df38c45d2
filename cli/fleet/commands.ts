import { durationText } from "../../pipeline/judge/verdict.ts";
import { answer } from "../answers/answers.ts";
import type { CliCommand } from "../command/command.ts";
import { paint } from "../command/paint.ts";
import type { Places } from "../system/state.ts";
import { eachRegion } from "./each-region.ts";
import { type Fleet, type FleetPage, readFleet, showFleet } from "./read-fleet.ts";

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
    .action(async ({ json }: Json) => {
      const fleets = await eachRegion(at, undefined, readFleet);
      if (json) answer("fleet-list", fleets);
      else console.log(fleets.flatMap(fleetLines).join("\n"));
    });
  fleet
    .command("show")
    .argument("<fleet>", "a target's name, as `fleet list` has it")
    .description(
      "one fleet with its components by version and cohort; a version that its group does not ask for is drift",
    )
    .answers("fleet-show")
    .example("fleet show home")
    .action(async (name: string, { json }: Json) => {
      for (const shown of await eachRegion(at, name, showFleet))
        if (json) answer("fleet-show", shown);
        else console.log([...fleetLines(shown), ...versionLines(shown)].join("\n"));
    });
}

function fleetLines({ fleet, region, devices, canary, byStatus, oldestMs, groups }: Fleet): string[] {
  const health = Object.entries(byStatus).map(([status, count]) =>
    paint(status === "HEALTHY" ? "green" : "red", `${count} ${status}`),
  );
  return [
    `${paint("bold", fleet)} (${region}): ${devices} devices, ${canary} in the canary${health.length === 0 ? "" : `; ${health.join(", ")}`}${oldestMs === undefined ? "" : `, as said up to ${durationText(oldestMs)} ago`}`,
    ...groups.map(({ group, devices: members, inForce }) =>
      inForce === undefined
        ? `  ${group}: ${members} devices, no revision yet`
        : `  ${group}: ${members} devices, revision ${inForce.revision}: ${Object.entries(inForce.components)
            .map(([component, version]) => `${component} ${version}`)
            .join(", ")}`,
    ),
  ];
}

function versionLines({ installed }: FleetPage): string[] {
  return installed.map(
    ({ component, version, canary, main, drifted }) =>
      `  ${component} ${version}: ${canary} canary, ${main} main${drifted === 0 ? "" : paint("yellow", `, ${drifted} DRIFTED`)}`,
  );
}

import type { CliCommand } from "../command/command.ts";
import { paint } from "../command/paint.ts";
import { durationText } from "../../pipeline/judge/verdict.ts";
import { answer } from "../answers/answers.ts";
import { eachRegion } from "../fleet/each-region.ts";
import { type DeviceRow, listDevices } from "../fleet/read-fleet.ts";
import type { Places } from "../system/state.ts";
import { addClaimCommands } from "./claim-commands.ts";
import { addLogsCommand } from "./logs-command.ts";

interface ListWords {
  readonly fleet?: string;
  readonly json: boolean;
}

/** `coalmine device`: which there are, what each says, how one comes into the fleet and how it goes. */
export function addDeviceCommands(program: CliCommand, at: Places): void {
  const device = program
    .command("device")
    .description("devices: which there are, logs, claim codes, history, and taking them out");
  device
    .command("list")
    .description("every core device with its cohort, its health and how old that word is")
    .option("--fleet <name>", "of one target alone")
    .answers("device-list")
    .example("device list")
    .example("device list --fleet home --json")
    .action(async ({ fleet, json }: ListWords) => {
      const found = (await eachRegion(at, fleet, listDevices)).flat();
      if (json) answer("device-list", found);
      else if (found.length === 0) console.log("no device has been heard of yet");
      else for (const row of found) console.log(rowText(row));
    });
  addClaimCommands(device, at);
  addLogsCommand(device, at);
}

function rowText({ fleet, thing, cohort, status, platform, seen }: DeviceRow): string {
  const health = paint(status === "HEALTHY" ? "green" : "red", status);
  const age = seen === undefined ? "never heard" : `heard ${durationText(seen.ageMs)} ago`;
  return `${fleet}  ${thing}  ${cohort}  ${health}  ${age}  ${platform ?? ""}`.trimEnd();
}

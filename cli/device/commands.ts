import { type Cohort, cohorts, type DeviceState, deviceStates } from "@coalmine/contract/operator-api";
import { Option } from "commander";
import { listDevices } from "../../api/fleets/list-devices.ts";
import { answer } from "../answers/answers.ts";
import type { CliCommand } from "../command/command.ts";
import { wholeNumber } from "../command/words.ts";
import { rowText } from "../fleet/fleet-text.ts";
import { askingFleets } from "../fleet/fleets-api.ts";
import type { Places } from "../system/state.ts";
import { addClaimCommands } from "./claim-commands.ts";
import { addLogsCommand } from "./logs-command.ts";
import { addVerifyCommand } from "./verify-report.ts";

const LIMIT = 1000;
const LIMIT_MAX = 2000;

interface ListWords {
  readonly fleet?: string;
  readonly cohort?: Cohort;
  readonly state?: DeviceState;
  readonly runs?: string;
  readonly text?: string;
  readonly limit: number;
  readonly after?: string;
  readonly json: boolean;
}

/** `coalmine device`: which there are, what each says, how one comes into the fleet and how it goes. */
export function addDeviceCommands(program: CliCommand, at: Places): void {
  const device = program
    .command("device")
    .description("devices: which there are, logs, claim codes, history, reports, and taking them out");
  device
    .command("list")
    .description("every device of the fleets with its cohort, its health and when it was heard last")
    .option("--fleet <name>", "of one target alone")
    .addOption(new Option("--cohort <name>", "of one cohort alone").choices(cohorts))
    .addOption(new Option("--state <state>", "that are so").choices(deviceStates))
    .option("--runs <component[@version]>", "that run it")
    .option("--text <text>", "with this in their name or site")
    .option("--limit <n>", "so many at once", wholeNumber(1, LIMIT_MAX), LIMIT)
    .option("--after <place>", "those behind it: `next` of the page before")
    .answers("device-list")
    .example("device list")
    .example("device list --state failing")
    .example("device list --fleet home --json")
    .action(({ json, ...query }: ListWords) =>
      askingFleets(at, query.fleet, async ({ watches }) => {
        const found = await listDevices(watches, query);
        const { devices, total, next } = found;
        if (json) return answer("device-list", found);
        for (const row of devices) console.log(rowText(row));
        if (total === 0) console.log("there is no such device");
        if (next !== undefined)
          console.error(`these are ${devices.length} of ${total}; the next come with --after ${next}`);
      }),
    );
  addClaimCommands(device, at);
  addLogsCommand(device, at);
  addVerifyCommand(device);
}

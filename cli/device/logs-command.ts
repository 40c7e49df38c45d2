import { ThingName } from "@coalmine/contract";
import type { LogLine } from "@coalmine/contract/operator-api";
import { systemClock } from "@coalmine/runtime/system-clock";
import { systemRandom } from "@coalmine/runtime/system-random";
import { parseInput } from "../../api/api.ts";
import { whereIs } from "../../api/devices/device-page.ts";
import { DAYS_MAX } from "../../api/devices/logs.ts";
import { answer } from "../answers/answers.ts";
import type { CliCommand } from "../command/command.ts";
import { paint } from "../command/paint.ts";
import { duration, positiveNumber, wholeNumber } from "../command/words.ts";
import { exitCodes } from "../exit-codes.ts";
import { askingFleets, type FleetsApi } from "../fleet/fleets-api.ts";
import { onStopAsked } from "../stop-asked.ts";
import type { Places } from "../system/state.ts";
import { followLogs } from "./follow-logs.ts";

const LINES = 200;
const LINES_MAX = 10_000;
const HOUR_MS = 3_600_000;

interface LogsWords {
  readonly component?: string;
  readonly fleet?: string;
  readonly lines: number;
  readonly since: number;
  readonly follow: boolean;
  readonly every: number;
  readonly json: boolean;
}

export function addLogsCommand(device: CliCommand, at: Places): void {
  device
    .command("logs")
    .argument("<thing>", "its name in the fleet, as on its label")
    .description(
      "a device's log lines as its log-manager has sent them, oldest first; --follow goes on, and after a lost link from where it was, without a line lost or doubled",
    )
    .option("--follow", "go on with what comes, until Ctrl-C", false)
    .option("--component <name>", "of one component alone, such as SensorReader; all of the suite without it")
    .option("--lines <n>", "how many of what is there already", wholeNumber(0, LINES_MAX), LINES)
    .option("--since <duration>", "how far back, such as 30m, 2h, 7d", duration(DAYS_MAX), HOUR_MS)
    .option("--every <seconds>", "with --follow: how often to look", positiveNumber, 5)
    .option("--fleet <name>", "of one target alone")
    .answers("device-logs", "lines")
    .example("device logs core-01 --follow")
    .example("device logs core-01 --component SensorReader --since 1d --json")
    .action((thing: string, options: LogsWords) =>
      askingFleets(at, options.fleet, (fleets) => logs(fleets, parseInput(ThingName, thing), options)),
    );
}

async function logs(
  { api, regions, watches }: FleetsApi,
  thing: ThingName,
  { component, lines, since, follow, every, json }: LogsWords,
): Promise<void> {
  const { watch } = await whereIs(watches, thing);
  const region = regions.find(({ target }) => target.name === watch.fleet);
  if (region === undefined) return;
  const stop = new AbortController();
  if (follow)
    onStopAsked(() => {
      process.exitCode = exitCodes.interrupted;
      stop.abort(new Error("interrupted"));
    });
  const now = (): Promise<number> => api.time.now(region.target);
  try {
    await followLogs({
      region,
      thing,
      component: component === undefined || component.includes(".") ? component : `coalmine.${component}`,
      sinceMs: Math.floor((await now()) - since),
      lines,
      everyMs: every * 1000,
      now,
      follow,
      asking: {
        clock: systemClock,
        random: systemRandom,
        signal: stop.signal,
        say: (sentence) => console.error(sentence),
      },
      line: (line) => (json ? answer("device-logs", { thing, ...line }) : console.log(lineText(line))),
      none: () => {
        const of = component === undefined ? "" : ` of ${component}`;
        console.error(
          `no line${of} of ${thing} in the last ${Math.round(since / 60_000)} minutes; log-manager sends each ${follow ? "few minutes, and this waits" : "few minutes: --since looks further back, --follow waits"}`,
        );
      },
    });
  } catch (failure) {
    if (!stop.signal.aborted) throw failure;
  }
}

function lineText({ atMs, component, level, message }: LogLine): string {
  const line = `${new Date(atMs).toISOString()}  ${component.replace("coalmine.", "")}  ${message.trimEnd()}`;
  if (level === "WARN") return paint("yellow", line);
  return level === "ERROR" || level === "FATAL" ? paint("red", line) : line;
}

import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { DescribeThingCommand } from "@aws-sdk/client-iot";
import { ThingName } from "@coalmine/contract";
import { systemClock } from "@coalmine/runtime/system-clock";
import { systemRandom } from "@coalmine/runtime/system-random";
import { CoalmineError } from "@coalmine/runtime";
import { unlessMissing } from "../../api/devices/registry.ts";
import type { Region } from "../../pipeline/controller/region.ts";
import { clientSettings } from "../../pipeline/target.ts";
import { answer } from "../answers/answers.ts";
import type { CliCommand } from "../command/command.ts";
import { keepAsking } from "../command/keep-asking.ts";
import { paint } from "../command/paint.ts";
import { duration, positiveNumber, wholeNumber } from "../command/words.ts";
import { exitCodes } from "../exit-codes.ts";
import { eachRegion } from "../fleet/each-region.ts";
import { onStopAsked } from "../stop-asked.ts";
import type { Places } from "../system/state.ts";
import { DeviceLogs, type LogLine, type Wanted } from "./device-logs.ts";

const LINES = 200;
const LINES_MAX = 10_000;
const HOUR_MS = 3_600_000;
/** Streams are by day: each day further back is a question more for each component. */
const DAYS_MAX = 90;

export class LogsError extends CoalmineError {
  readonly code = "ERR_NO_SUCH_LOGS";
}

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
    .option("--component <name>", "of one component alone, such as SensorReader")
    .option("--lines <n>", "how many of what is there already", wholeNumber(0, LINES_MAX), LINES)
    .option("--since <duration>", "how far back, such as 30m, 2h, 7d", duration(DAYS_MAX), HOUR_MS)
    .option("--every <seconds>", "with --follow: how often to look", positiveNumber, 2)
    .option("--fleet <name>", "of one target alone")
    .answers("device-logs", "lines")
    .example("device logs core-01 --follow")
    .example("device logs core-01 --component SensorReader --since 1d --json")
    .action((thing: string, options: LogsWords) => logs(at, thing, options));
}

async function logs(at: Places, thing: string, options: LogsWords): Promise<void> {
  if (!ThingName.safeParse(thing).success)
    throw new LogsError(`"${thing}" is no name of a thing; \`coalmine device list\` has them`);
  const stop = new AbortController();
  let known = false;
  await eachRegion(at, options.fleet, async (region, nowMs) => {
    if ((await unlessMissing(region.iot.send(new DescribeThingCommand({ thingName: thing })))) === undefined)
      return;
    known = true;
    if (options.follow)
      onStopAsked(() => {
        process.exitCode = exitCodes.interrupted;
        stop.abort(new Error("interrupted"));
      });
    await tell(region, { thing, component: options.component }, nowMs, options, stop.signal);
  });
  if (!known)
    throw new LogsError(`no fleet has a device "${thing}"; \`coalmine device list\` has their names`);
}

/** What is there, and with `--follow` what comes; the region's clock is read on the wall's from `nowMs` on. */
async function tell(
  { target }: Region,
  wanted: Wanted,
  nowMs: number,
  { lines, since, follow, every, json }: LogsWords,
  signal: AbortSignal,
): Promise<void> {
  const client = new CloudWatchLogsClient(clientSettings(target));
  const began = systemClock.monotonicMs();
  const regionNow = (): number => nowMs + systemClock.monotonicMs() - began;
  try {
    await followLogs(new DeviceLogs(client, wanted, nowMs - since), {
      lines,
      everyMs: every * 1000,
      now: regionNow,
      follow,
      asking: {
        clock: systemClock,
        random: systemRandom,
        signal,
        say: (sentence) => console.error(sentence),
      },
      line: (line) => (json ? answer("device-logs", line) : console.log(lineText(line))),
      none: () => {
        const of = wanted.component === undefined ? "" : ` of ${wanted.component}`;
        console.error(
          `no line${of} of ${wanted.thing} in the last ${Math.round(since / 60_000)} minutes; log-manager sends each ${follow ? "few minutes, and this waits" : "few minutes: --since looks further back, --follow waits"}`,
        );
      },
    });
  } catch (failure) {
    if (!signal.aborted) throw failure;
  } finally {
    client.destroy();
  }
}

interface Following {
  readonly lines: number;
  readonly everyMs: number;
  readonly now: () => number;
  readonly follow: boolean;
  readonly asking: Parameters<typeof keepAsking>[1];
  readonly line: (line: LogLine) => void;
  /** There is nothing yet. */
  readonly none: () => void;
}

export async function followLogs(logs: DeviceLogs, following: Following): Promise<void> {
  const { lines, everyMs, now, follow, asking, line, none } = following;
  const there: LogLine[] = [];
  await keepAsking(async () => {
    for await (const page of logs.look(now())) {
      there.push(...page);
      // More than are wanted need not be held.
      if (there.length > 2 * LINES_MAX) newestOf(there, lines);
    }
  }, asking);
  newestOf(there, lines);
  there.forEach(line);
  if (there.length === 0 && lines > 0) none();
  while (follow && !asking.signal.aborted) {
    await asking.clock.sleep(everyMs, asking.signal);
    await keepAsking(async () => {
      for await (const page of logs.look(now())) page.forEach(line);
    }, asking);
  }
}

/** Keeps the newest, oldest first. */
function newestOf(lines: LogLine[], count: number): void {
  lines.sort((a, b) => a.atMs - b.atMs);
  lines.splice(0, Math.max(0, lines.length - count));
}

function lineText({ atMs, component, message }: LogLine): string {
  const short = component.replace("coalmine.", "");
  const text = message.trimEnd();
  const level = /"level":"(WARN|ERROR|FATAL)"|\[(WARN|ERROR)\]/.exec(text)?.[1];
  const line = `${new Date(atMs).toISOString()}  ${short}  ${text}`;
  return level === undefined ? line : paint(level === "WARN" ? "yellow" : "red", line);
}

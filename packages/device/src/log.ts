import type { Clock, Log } from "@coalmine/ports";
import { jsonLog } from "@coalmine/runtime";

/** JSON lines on standard output, which the nucleus puts into the component's own log file. */
export function stdoutLog(source: string, clock: Clock): Log {
  return jsonLog(source, clock, (line) => process.stdout.write(`${line}\n`));
}

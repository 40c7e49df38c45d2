import type { LogSource } from "./config.ts";
import { linearPattern } from "./linear-pattern.ts";

/** Says of a line whether it opens an event. */
export type Opens = (line: string) => boolean;

/** LogManager's own rule: a JSON object, or a date with an optional bracket. */
export function opensDated(line: string): boolean {
  return line.startsWith("{") || /^\[?\d{4}-\d{2}-\d{2}/.test(line);
}

/** What Node, Java and Python print below the first line of an error. Each alternative is anchored: linear. */
const insideTrace =
  /^(?:\s|$|\}|\)|Caused by: |Suppressed: |\.\.\. \d+ more|Traceback \(most recent|During handling of|The above exception)/;
/** The last line of a Python trace, which alone tells what went wrong. */
const pythonError = /^[A-Za-z_][\w.]*(?:Error|Exception|Warning|Interrupt|Exit)(?::|$)/;

function opensOutsideTrace(line: string): boolean {
  return !insideTrace.test(line) && !pythonError.test(line);
}

export function openingRule(multiLine: LogSource["multiLine"]): Opens {
  if (multiLine.kind === "dated") return opensDated;
  if (multiLine.kind === "stackTrace") return opensOutsideTrace;
  const pattern = linearPattern(multiLine.pattern);
  return (line) => pattern.test(line);
}

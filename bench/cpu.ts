import { readFileSync } from "node:fs";

/** Of a second, as Linux counts it for programs on every machine of ours. */
const TICKS_PER_SECOND = 100;

/** What a process has spent of the processor, in seconds: on a busy machine it says more than the time that passed. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name in parentheses may hold anything; user and system time are the 12th and 13th field after it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface BoundChild {
  readonly child: ChildProcess;
  readonly pid: number;
  /** The first that it said. */
  readonly line: string;
}

/** What to `spawn` so that the kernel ends the program when this process ends, also where that is killed. */
export function bound(program: string, words: readonly string[]): [program: string, words: string[]] {
  return ["setpriv", ["--pdeathsig", "KILL", program, ...words]];
}

/** Runs this Node with `words`, bound to this process, until it says a line. */
export async function startBound(words: readonly string[]): Promise<BoundChild> {
  const child = spawn(...bound(process.execPath, words), { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout }))
    return { child, pid: child.pid ?? 0, line };
  throw new Error(`${words.join(" ")} ended before it said anything`);
}

/** Resolves when it has ended. */
export async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
}

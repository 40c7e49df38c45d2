import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface BoundChild {
  readonly child: ChildProcess;
  readonly pid: number;
  /** The first that it said. */
  readonly line: string;
}

/** Runs this Node with `words` until it says a line. The kernel ends it with this process, also where that is killed. */
export async function startBound(words: readonly string[]): Promise<BoundChild> {
  const child = spawn("setpriv", ["--pdeathsig", "KILL", process.execPath, ...words], {
    stdio: ["ignore", "pipe", "inherit"],
  });
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

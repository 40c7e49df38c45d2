import { fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CoalmineError } from "@coalmine/runtime";
import type { Clock } from "@coalmine/ports";
import { YOUNG_SPACE } from "../driven/young-space.ts";
import { FromRun, type Outcome, type ToRun } from "./run-wire.ts";
import { toldMs } from "./units.ts";

const LOOK_MS = 250;
/** Of a second, as Linux counts it for programs on every machine of ours. */
const TICKS_PER_SECOND = 100;
/** A machine may be busy with others; a run that waits for nothing ends all the same. */
const WALL_TIMES_MAX = 10;

/** It took more time or memory than its scenario allows. */
export class RunStopped extends CoalmineError {
  readonly code = "ERR_SCENARIO_BOUNDS";
}
/** A run came to no end, and its process gave no reason. */
export class RunCrashed extends CoalmineError {
  readonly code = "ERR_SCENARIO_CRASHED";
}
/** A run came to no end for a reason that names itself. */
export class RunFailed extends CoalmineError {
  readonly code = "ERR_SCENARIO_FAILED";
}

export interface Watching {
  readonly clock: Clock;
  readonly bounds: { readonly time: number; readonly memory: number };
  readonly progress: (sentence: string) => void;
  /** Told now and then what the run has taken. */
  readonly used?: (used: Usage) => void;
  /** Ends it before its time. */
  readonly signal?: AbortSignal;
}

export interface Usage {
  readonly processorMs: number;
  readonly bytes: number;
}

/** Plays one run in a process of its own, and ends it at its bounds even when it never gives up the processor. */
export async function watchedRun(told: ToRun, watching: Watching): Promise<Outcome> {
  const { clock, bounds, progress, used, signal } = watching;
  const child = fork(join(import.meta.dirname, "main.ts"), [JSON.stringify(told)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    execArgv: [...process.execArgv, ...YOUNG_SPACE],
  });
  let standsMs = 0;
  let ended: Outcome | undefined;
  let stopped: CoalmineError | undefined;
  child.on("message", (message) => {
    const heard = FromRun.parse(message);
    if (heard.kind === "stands") standsMs = heard.atMs;
    else if (heard.kind === "progress") progress(heard.sentence);
    else if (heard.kind === "ended") ended = heard.outcome;
    else stopped ??= new RunFailed(`${heard.code}: ${heard.message}`);
  });
  const exited = new Promise<number | null>((exit) => child.once("exit", exit));
  const end = (): boolean => child.kill("SIGKILL");
  signal?.addEventListener("abort", end, { once: true });
  const startedMs = clock.monotonicMs();
  const look = (): void => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const usage = usageOf(child.pid ?? 0);
    const { processorMs, bytes } = usage;
    used?.(usage);
    const isOver =
      processorMs > bounds.time || clock.monotonicMs() - startedMs > WALL_TIMES_MAX * bounds.time;
    const what = isOver
      ? `it took more than ${toldMs(bounds.time)} of the processor`
      : bytes > bounds.memory
        ? `it took more than ${Math.round(bounds.memory / 1024 ** 2)} MiB`
        : undefined;
    if (what === undefined) {
      clock.timer(LOOK_MS, look);
      return;
    }
    stopped = new RunStopped(
      `the run was stopped: ${what}. It stood at ${toldMs(standsMs)} of the scenario; play it with fewer devices, or raise its bounds`,
    );
    child.kill("SIGKILL");
  };
  look();
  const code = await exited;
  signal?.removeEventListener("abort", end);
  if (stopped !== undefined) throw stopped;
  if (ended === undefined)
    throw new RunCrashed(
      `the run ended with ${code ?? child.signalCode ?? "nothing"} at ${toldMs(standsMs)} of the scenario; what it said is above`,
    );
  return ended;
}

/** As Linux shows it in /proc; nothing of a process that has just ended. */
function usageOf(pid: number): Usage {
  try {
    const [, kibibytes = "0"] =
      /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in brackets may hold anything; user and system time are the 12th and 13th field after it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = Number(fields[11]) + Number(fields[12]);
    return { processorMs: (ticks * 1000) / TICKS_PER_SECOND, bytes: Number(kibibytes) * 1024 };
  } catch {
    return { processorMs: 0, bytes: 0 };
  }
}

import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { Clock } from "@coalmine/ports";
import { killIfThere, startedWith } from "./process-tree.ts";

/** The variable by which everything that a supervised process started is found again, whoever its parent is now. */
export const MARK = "COALMINE_PROCESS_OF";

/** As systemd's StartLimitBurst and StartLimitIntervalSec, over a longer interval: a device starts slowly. */
const RESTARTS_MAX = 5;
const RESTARTS_WITHIN_MS = 60_000;
const RESTART_FIRST_MS = 100;
const RESTART_MAX_MS = 10_000;
const READY_MS = 30_000;
/** A core device stops its components one after the other, each in up to 15 s. */
const STOP_MS = 45_000;
const GONE_MS = 5000;
const POLL_MS = 20;
/** Of its output, for whoever asks why. */
const LINES_MAX = 50;

export type ProcessEvent =
  | { readonly kind: "started"; readonly name: string; readonly pid: number }
  | {
      readonly kind: "crashed";
      readonly name: string;
      readonly how: string;
      readonly lastLines: readonly string[];
    }
  | { readonly kind: "restarting"; readonly name: string; readonly inMs: number }
  | { readonly kind: "gave-up"; readonly name: string; readonly restarts: number }
  | { readonly kind: "killed-hard"; readonly name: string; readonly processes: number };

export interface SupervisedOptions {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string>>;
  /** Of the whole machine's processes this one's; the same at every start, so that a start finds what was left. */
  readonly mark: string;
  /** A line of standard output that says that it is up. */
  readonly isReady: (line: string) => boolean;
  readonly clock: Clock;
  readonly report: (event: ProcessEvent) => void;
}

export class ProcessFailed extends Error {
  override readonly name = "ProcessFailed";
}

/**
 * One process and all it starts, kept running as systemd keeps a service: restarted after a crash, a little later each
 * time, given up after too many; whatever a dead one leaves behind is killed before the next begins.
 */
export class SupervisedProcess {
  readonly #options: SupervisedOptions;
  readonly #lines: string[] = [];
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #wanted = false;
  #restartsMs: number[] = [];
  #supervising: Promise<void> = Promise.resolve();
  #patience = new AbortController();
  #gaveUp = false;

  constructor(options: SupervisedOptions) {
    this.#options = options;
  }

  /** Of the process that runs now. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }
  /** True after too many crashes; `start` tries again. */
  get gaveUp(): boolean {
    return this.#gaveUp;
  }
  get lastLines(): readonly string[] {
    return this.#lines;
  }

  /** Resolves when it is up; rejects, with its last lines, when it is not in time. */
  async start(): Promise<void> {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#gaveUp = false;
    this.#restartsMs = [];
    this.#patience = new AbortController();
    try {
      await this.#launch();
    } catch (failure) {
      this.#wanted = false;
      await this.#killAll();
      throw failure;
    }
  }

  /** SIGTERM, and SIGKILL to all that is left after it, or when it takes too long. Nothing is left when it resolves. */
  async stop(): Promise<void> {
    this.#notWanted();
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      const late = new AbortController();
      const patience = this.#options.clock.sleep(STOP_MS, late.signal).catch(() => undefined);
      await Promise.race([this.#exited, patience]);
      late.abort();
    }
    await this.#killAll();
    await this.#supervising;
  }

  /** A crash of the process alone: what it started lives on until it is started again. */
  crash(): void {
    this.#child?.kill("SIGKILL");
  }

  /** A power cut: everything is gone at once, and stays away until `start`. */
  async cutPower(): Promise<void> {
    this.#notWanted();
    await this.#killAll();
    await this.#supervising;
  }

  #notWanted(): void {
    this.#wanted = false;
    this.#patience.abort();
  }

  async #launch(): Promise<void> {
    const { command, environment, mark, name, report, isReady, clock } = this.#options;
    await this.#killAll();
    const [program, ...args] = command;
    const child = spawn(program, args, {
      env: { ...environment, [MARK]: mark },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.#child = child;
    let up: () => void = () => undefined;
    const ready = new Promise<"up">((resolve) => (up = () => resolve("up")));
    this.#keep(child.stdout, (line) => {
      if (isReady(line)) up();
    });
    this.#keep(child.stderr, () => undefined);
    this.#exited = new Promise((resolve) => {
      child.once("exit", () => resolve());
      child.once("error", (failure) => {
        this.#lines.push(failure.message);
        resolve();
      });
    });
    if (child.pid !== undefined) report({ kind: "started", name, pid: child.pid });
    const late = new AbortController();
    const exited = this.#exited.then(() => "exited" as const);
    const patience = clock.sleep(READY_MS, late.signal).then(
      () => "late" as const,
      () => "late" as const,
    );
    const first = await Promise.race([ready, exited, patience]);
    late.abort();
    if (first !== "up")
      throw new ProcessFailed(
        `${name} ${first === "late" ? `is not up within ${READY_MS / 1000} s` : `ended at once, with ${howEnded(child)}`}; its last lines: ${this.#lines.slice(-5).join(" | ")}`,
      );
    this.#supervising = this.#exited.then(() => this.#afterExit(child));
  }

  async #afterExit(child: ChildProcess): Promise<void> {
    const { name, clock, report } = this.#options;
    if (!this.#wanted || this.#child !== child) return;
    report({ kind: "crashed", name, how: howEnded(child), lastLines: this.#lines.slice(-5) });
    for (;;) {
      const now = clock.monotonicMs();
      this.#restartsMs = this.#restartsMs.filter((at) => now - at < RESTARTS_WITHIN_MS);
      const restarts = this.#restartsMs.length;
      if (restarts >= RESTARTS_MAX) {
        this.#gaveUp = true;
        report({ kind: "gave-up", name, restarts });
        await this.#killAll();
        return;
      }
      this.#restartsMs.push(now);
      const inMs = Math.min(RESTART_MAX_MS, RESTART_FIRST_MS * 2 ** restarts);
      report({ kind: "restarting", name, inMs });
      try {
        await clock.sleep(inMs, this.#patience.signal);
        await this.#launch();
        return;
      } catch (failure) {
        // Stopped meanwhile.
        if (!this.#wanted) return;
        if (!(failure instanceof ProcessFailed)) throw failure;
        report({ kind: "crashed", name, how: failure.message, lastLines: this.#lines.slice(-5) });
      }
    }
  }

  #keep(stream: Readable | null, hear: (line: string) => void): void {
    if (stream === null) return;
    createInterface({ input: stream }).on("line", (line) => {
      this.#lines.push(line);
      if (this.#lines.length > LINES_MAX) this.#lines.shift();
      hear(line);
    });
  }

  /** Looks again after each round: a process may start another while it is being killed. */
  async #killAll(): Promise<void> {
    const { mark, clock, name, report } = this.#options;
    const until = clock.monotonicMs() + GONE_MS;
    let told = false;
    for (let left = await startedWith(MARK, mark); left.length > 0; left = await startedWith(MARK, mark)) {
      if (!told) report({ kind: "killed-hard", name, processes: left.length });
      told = true;
      for (const pid of left) killIfThere(pid);
      if (clock.monotonicMs() > until)
        throw new ProcessFailed(
          `processes of ${name} do not end: ${left.join(", ")}; look at what they wait for in /proc`,
        );
      await clock.sleep(POLL_MS);
    }
  }
}

function howEnded(child: ChildProcess): string {
  return child.signalCode === null ? `exit code ${child.exitCode ?? "unknown"}` : child.signalCode;
}

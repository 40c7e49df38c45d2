import type { Command, LaunchedProcess, Launcher, SystemResourceLimits } from "../ports.ts";

/** What a script does when it is launched; `exit` ends it, and it hears when it is asked to stop. */
export type Behaviour = (process: ScriptedProcess) => void;

export class ScriptedProcess implements LaunchedProcess {
  readonly command: Command;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  #exit: (how: { code: number | null; signal: string | null }) => void = () => undefined;
  isRunning = true;
  readonly pauses: ("pause" | "resume")[] = [];
  onTerminate: () => void = () => this.exit(null, "SIGTERM");

  constructor(command: Command) {
    this.command = command;
    this.exited = new Promise((resolve) => (this.#exit = resolve));
  }
  exit(code: number | null, signal: string | null = null): void {
    this.isRunning = false;
    this.#exit({ code, signal });
  }
  terminate(): void {
    if (this.isRunning) this.onTerminate();
  }
  kill(): void {
    this.exit(null, "SIGKILL");
  }
  pause(): void {
    this.pauses.push("pause");
  }
  resume(): void {
    this.pauses.push("resume");
  }
}

/**
 * A machine whose programs are these few words, separated by `;`: `exit N`, `stay` (until asked to stop), `deaf` (until
 * killed), `say TEXT`. Everything launched is kept in order, for tests to read.
 */
export class ScriptedLauncher implements Launcher {
  readonly launched: ScriptedProcess[] = [];
  readonly paths = new Set<string>();
  /** Component → what it may use, as told last. */
  readonly limits = new Map<string, SystemResourceLimits | undefined>();
  /** Programs that a test gives a meaning of its own. */
  readonly programs = new Map<string, Behaviour>();

  launch(command: Command): LaunchedProcess {
    const process = new ScriptedProcess(command);
    this.launched.push(process);
    for (const word of command.script.split(";").map((part) => part.trim())) {
      const [name = "", ...rest] = word.split(" ");
      const own = this.programs.get(name);
      if (own !== undefined) own(process);
      else if (name === "exit") process.exit(Number(rest[0]));
      else if (name === "say") command.output("stdout", rest.join(" "));
      else if (name === "deaf") process.onTerminate = () => undefined;
      else if (name !== "stay") throw new Error(`no program "${name}" on this machine`);
    }
    return process;
  }

  async limit(component: string, limits: SystemResourceLimits | undefined): Promise<void> {
    this.limits.set(component, limits);
  }

  async holds(condition: { kind: "exists" | "onpath"; what: string }): Promise<boolean> {
    return this.paths.has(condition.what);
  }

  steps(): string[] {
    return this.launched.map(({ command }) => `${command.component} ${command.step}`);
  }

  running(): string[] {
    return this.launched.filter((process) => process.isRunning).map(({ command }) => command.component);
  }
}

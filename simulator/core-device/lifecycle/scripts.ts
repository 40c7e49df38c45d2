import type { Clock, Timer } from "@coalmine/ports";
import type { Step, StepName } from "@coalmine/recipe";
import { messageOf } from "@coalmine/runtime";
import type { LaunchedProcess, Launcher, SystemUser } from "../ports.ts";
import type { Definition } from "./definition.ts";
import type { Actions, Outcome } from "./lifecycle.ts";
import type { State, StatusDetails } from "./states.ts";

/** Between SIGTERM and SIGKILL. */
export const KILL_AFTER_MS = 5000;
/** A killed process that still has not gone is given up after this. */
const GIVE_UP_MS = 10_000;

interface ScriptsOptions {
  readonly clock: Clock;
  readonly launcher: Launcher;
  readonly workFolder: string;
  readonly environment: (
    definition: Definition,
    step: StepName,
    step_: Step,
  ) => Readonly<Record<string, string>>;
  readonly output: (step: StepName, stream: "stdout" | "stderr", line: string) => void;
  /** The user that the component is to run as, where it or the nucleus's configuration names one. */
  readonly posixUser: (definition: Definition) => string | undefined;
  readonly shell: () => string;
  /** Makes the work folder and whatever else must be there before a script runs; the user's, where there is one. */
  readonly prepare: (definition: Definition, user: SystemUser | undefined) => Promise<void>;
}

interface StepWay {
  /** Which start it belongs to; the present one where nothing is said. */
  readonly start?: number;
  /** Called when the script runs. */
  readonly launched?: () => void;
  /** Whether the end of the step's time still means something. */
  readonly mayTimeOut?: () => boolean;
}

/** A component's lifecycle as scripts. The shutdown script that runs is the one of the definition that was started. */
export class Scripts implements Actions {
  definition: Definition;
  readonly #options: ScriptsOptions;
  #started: Definition;
  /** Everything launched that may still have processes, the left-overs of `startup` included. */
  readonly #processes = new Set<LaunchedProcess>();
  #run = 0;
  #isHalted = false;
  #isPaused = false;

  constructor(definition: Definition, options: ScriptsOptions) {
    this.definition = definition;
    this.#started = definition;
    this.#options = options;
  }

  install(): Promise<Outcome> {
    return this.step("install", this.definition);
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Stops every process where it stands. Throws where the device cannot. */
  pause(): void {
    for (const process of this.#processes) {
      if (process.pause === undefined) throw new Error("this device cannot pause processes");
      process.pause();
    }
    this.#isPaused = true;
  }

  resume(): void {
    for (const process of this.#processes) process.resume?.();
    this.#isPaused = false;
  }

  shutdown(): Promise<Outcome> {
    // What is paused would not hear that it is to stop.
    if (this.#isPaused) this.resume();
    this.#run++;
    return this.step("shutdown", this.#started);
  }

  recover(): Promise<void> {
    return this.#logged("recover");
  }

  uninstall(): Promise<void> {
    return this.#logged("uninstall");
  }

  /** How these two end changes nothing; the component's log has it. */
  async #logged(name: "recover" | "uninstall"): Promise<void> {
    const outcome = await this.step(name, this.definition);
    if (!outcome.ok) this.#options.output(name, "stderr", `${outcome.code}: ${outcome.reason}`);
  }

  start(report: (state: State, details?: StatusDetails) => void, isStarting: () => boolean): void {
    this.#started = this.definition;
    const run = ++this.#run;
    // A report of an earlier start that comes late is nobody's.
    const tell = (state: State, details?: StatusDetails): void => {
      if (run === this.#run) report(state, details);
    };
    void this.#startWith(this.#started, run, tell, () => run === this.#run && isStarting());
  }

  kill(): void {
    for (const process of this.#processes) process.kill();
  }

  /** The power is gone: nothing runs any more, and nothing is started. */
  halt(): void {
    this.#isHalted = true;
    this.#run++;
    this.kill();
  }

  async stopProcesses(): Promise<void> {
    this.#run++;
    await Promise.all([...this.#processes].map((process) => this.#end(process)));
  }

  async #startWith(
    definition: Definition,
    start: number,
    tell: (state: State, details?: StatusDetails) => void,
    isStarting: () => boolean,
  ): Promise<void> {
    const { startup } = definition.steps.steps;
    if (
      definition.steps.faults.startup !== undefined ||
      (startup !== undefined && !(await this.#skipped(startup)))
    ) {
      // A script that lives on is the component, once the component has said that it runs.
      const outcome = await this.step("startup", definition, { start, mayTimeOut: isStarting });
      if (outcome.ok) tell("RUNNING");
      else tell("ERRORED", outcome);
      return;
    }
    const { run } = definition.steps.steps;
    if (definition.steps.faults.run === undefined && (run === undefined || (await this.#skipped(run)))) {
      tell("FINISHED");
      return;
    }
    const outcome = await this.step("run", definition, { start, launched: () => tell("RUNNING") });
    if (outcome.ok) tell("FINISHED");
    else tell("ERRORED", outcome);
  }

  /**
   * Runs one step to its end. A step that is not there, or is skipped, went well; so did one that was overtaken by a stop
   * before its script began: nobody waits for it any more.
   */
  async step(
    name: StepName,
    definition: Definition,
    { start = this.#run, ...way }: StepWay = {},
  ): Promise<Outcome> {
    const fault = definition.steps.faults[name];
    if (fault !== undefined)
      return {
        ok: false,
        code: `${codePrefix(name)}_CONFIG_NOT_VALID`,
        reason: `The configuration is not valid. ${fault}`,
      };
    const step = definition.steps.steps[name];
    if (step === undefined || this.#isHalted) return { ok: true };
    try {
      if (await this.#skipped(step)) return { ok: true };
      const user = await this.#user(step, definition);
      if (user === "missing")
        return {
          ok: false,
          code: `${codePrefix(name)}_MISSING_DEFAULT_RUNWITH`,
          reason: `The ${name} script has no user to run as. Set runWithDefault.posixUser of the nucleus, or runWith of the component.`,
        };
      await this.#options.prepare(definition, user);
      if (this.#isHalted || start !== this.#run) return { ok: true };
      return await this.#launch(name, step, definition, user, way);
    } catch (failure) {
      return { ok: false, code: `${codePrefix(name)}_IO_ERROR`, reason: messageOf(failure) };
    }
  }

  /** Undefined: as the device itself, because the step asks for it, or because this device cannot do otherwise. */
  async #user(step: Step, definition: Definition): Promise<SystemUser | undefined | "missing"> {
    const { launcher, posixUser } = this.#options;
    if (launcher.userOf === undefined || step.requiresPrivilege) return undefined;
    const wanted = posixUser(definition);
    return wanted === undefined ? "missing" : launcher.userOf(wanted);
  }

  async #launch(
    name: StepName,
    step: Step,
    definition: Definition,
    user: SystemUser | undefined,
    { launched, mayTimeOut = () => true }: StepWay,
  ): Promise<Outcome> {
    const process = this.#options.launcher.launch({
      component: definition.name,
      componentVersion: definition.version,
      step: name,
      script: step.script,
      shell: this.#options.shell(),
      environment: this.#options.environment(definition, name, step),
      workFolder: this.#options.workFolder,
      user,
      output: (stream, line) => this.#options.output(name, stream, line),
    });
    this.#processes.add(process);
    launched?.();
    let timedOut = false;
    let ended: Promise<void> | undefined;
    let timer: Timer | undefined;
    if (step.timeoutSeconds !== undefined)
      timer = this.#options.clock.timer(step.timeoutSeconds * 1000, () => {
        if (!mayTimeOut()) return;
        timedOut = true;
        ended = this.#end(process);
      });
    const exit = await process.exited;
    timer?.cancel();
    await ended;
    // What `startup` left running is the component, and is ended with it.
    if (name !== "startup") this.#processes.delete(process);
    if (timedOut)
      return {
        ok: false,
        code: `${codePrefix(name)}_TIMEOUT`,
        reason: `The ${name} script did not end within ${step.timeoutSeconds} s.`,
      };
    if (exit.code === 0) return { ok: true };
    const how = exit.signal === null ? `exited with code ${exit.code}` : `was ended by ${exit.signal}`;
    return {
      ok: false,
      code: `${codePrefix(name)}_ERROR`,
      reason: `An error occurred while ${doing[name]} the component. The ${name} script ${how}.`,
      ...(name === "bootstrap" && exit.code !== null ? { exitCode: exit.code } : {}),
    };
  }

  async #end(process: LaunchedProcess): Promise<void> {
    const gone = process.exited.then(() => true);
    process.terminate();
    const { clock } = this.#options;
    const inTime = await firstOf(clock, gone, KILL_AFTER_MS);
    // The group may hold more than the shell: the kill is for what is left of it, and for nobody when all are gone.
    process.kill();
    if (!inTime) await firstOf(clock, gone, GIVE_UP_MS);
    this.#processes.delete(process);
  }

  async #skipped(step: Step): Promise<boolean> {
    if (step.skipIf === undefined) return false;
    const { condition, argument, negated } = step.skipIf;
    return (await this.#options.launcher.holds({ kind: condition, what: argument })) !== negated;
  }
}

const doing: Readonly<Record<StepName, string>> = {
  bootstrap: "bootstrapping",
  install: "installing",
  startup: "starting",
  run: "running",
  shutdown: "shutting down",
  recover: "recovering",
  uninstall: "uninstalling",
};

function codePrefix(step: StepName): string {
  return step.toUpperCase();
}

function firstOf(clock: Clock, done: Promise<boolean>, afterMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.timer(afterMs, () => resolve(false));
    void done.then(() => {
      timer.cancel();
      resolve(true);
    });
  });
}

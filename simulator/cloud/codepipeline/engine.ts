import type { Clock, Random } from "@coalmine/ports";
import { invariant, messageOf } from "@coalmine/runtime";
import type { Store, Table } from "../store/store.ts";
import { uuid } from "../uuid.ts";
import {
  type ActionDeclaration,
  type ActionRun,
  type Declaration,
  type Execution,
  stageStatus,
} from "./execution.ts";
import type { RunAction } from "./run-action.ts";

const ACTION_TIMEOUT_MIN_DEFAULT = 60;
/** Finished executions kept for the history. */
const EXECUTIONS_KEPT_MAX = 200;

/**
 * Moves executions through their stages. A stage holds one execution at a time; one that waits before a stage gives way
 * to a newer one where the mode is SUPERSEDED, and keeps its turn where it is QUEUED.
 */
export class PipelineEngine {
  readonly #executions: Table<Execution>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #store: Store;
  readonly #run: RunAction;
  readonly #changed: (before: Execution | undefined, execution: Execution) => void;
  readonly #running = new Map<string, AbortController>();

  constructor(ports: {
    clock: Clock;
    random: Random;
    store: Store;
    run: RunAction;
    /** Told whenever an execution was set, e.g. for events. */
    changed?: (before: Execution | undefined, execution: Execution) => void;
  }) {
    this.#changed = ports.changed ?? (() => {});
    this.#clock = ports.clock;
    this.#random = ports.random;
    this.#store = ports.store;
    this.#run = ports.run;
    this.#executions = ports.store.table<Execution>("codepipeline-executions");
  }

  /** After a start: commands that were cut off run again (stages may be repeated), waits go on waiting. */
  resume(): string[] {
    const resumed: string[] = [];
    for (const execution of this.#active()) {
      const stage = execution.declaration.stages[execution.stage];
      for (const action of stage?.actions ?? []) {
        const run = execution.actions[stage?.name ?? ""]?.find(({ name }) => name === action.name);
        if (run?.status !== "InProgress" || action.actionTypeId.category !== "Compute") continue;
        resumed.push(
          `${execution.pipeline} ${stage?.name}/${action.name} of ${execution.revision.revisionId}`,
        );
        this.#startCommands(execution, stage?.name ?? "", action);
      }
    }
    this.#advance();
    return resumed;
  }

  start(
    pipeline: string,
    pipelineVersion: number,
    declaration: Declaration,
    revision: Execution["revision"],
  ): Execution {
    const number =
      this.history(pipeline).length === 0
        ? 1
        : Math.max(...this.history(pipeline).map((one) => one.number)) + 1;
    const execution: Execution = {
      id: uuid(this.#random),
      pipeline,
      number,
      status: "InProgress",
      statusSummary: "",
      declaration,
      pipelineVersion,
      revision,
      startedMs: this.#clock.now(),
      changedMs: this.#clock.now(),
      stage: 0,
      entered: false,
      actions: {},
    };
    this.#put(execution);
    this.#advance();
    for (const old of this.history(pipeline).slice(0, -EXECUTIONS_KEPT_MAX)) {
      if (old.status !== "InProgress") this.#executions.delete(key(old));
    }
    return execution;
  }

  /** All executions of a pipeline, oldest first. */
  history(pipeline: string): Execution[] {
    return [...this.#executions.entries(`${pipeline}/`)].map(([, execution]) => execution);
  }

  find(id: string): Execution | undefined {
    for (const [, execution] of this.#executions.entries()) if (execution.id === id) return execution;
    return undefined;
  }

  /** Answers a wait. False when no such wait is open with that token. */
  answer(
    pipeline: string,
    stage: string,
    action: string,
    token: string,
    approved: boolean,
    summary: string,
  ): boolean {
    const execution = this.history(pipeline).find((one) =>
      one.actions[stage]?.some(
        (run) => run.name === action && run.token === token && run.status === "InProgress",
      ),
    );
    if (execution === undefined) return false;
    this.#finish(execution.id, stage, action, approved ? "Succeeded" : "Failed", summary);
    return true;
  }

  stop(id: string, reason: string): boolean {
    const execution = this.find(id);
    if (execution?.status !== "InProgress") return false;
    for (const [name, controller] of this.#running)
      if (name.startsWith(`${id}/`)) controller.abort(new Error("stopped"));
    this.#end(execution, "Stopped", reason);
    return true;
  }

  /** Ends what runs, so that the process can end; `resume` of the next start takes it up again. */
  close(): void {
    for (const controller of this.#running.values()) controller.abort(new Error("the cloud stops"));
  }

  *#active(): Iterable<Execution> {
    for (const [, execution] of this.#executions.entries())
      if (execution.status === "InProgress") yield execution;
  }

  /** Lets every execution go as far as it can. */
  #advance(): void {
    for (let moved = true; moved;) {
      moved = false;
      for (const execution of this.#active()) moved = this.#step(execution) || moved;
    }
  }

  #step(execution: Execution): boolean {
    const stage = execution.declaration.stages[execution.stage];
    if (stage === undefined) {
      this.#end(execution, "Succeeded", "");
      return true;
    }
    if (!execution.entered) return this.#enter(execution);
    const runs = execution.actions[stage.name] ?? [];
    const status = stageStatus(execution, stage.name);
    if (status === "Succeeded") {
      this.#put({ ...execution, stage: execution.stage + 1, entered: false });
      return true;
    }
    if (status === "Failed") {
      this.#end(execution, "Failed", runs.find((run) => run.status === "Failed")?.summary ?? "");
      return true;
    }
    // Actions of the same runOrder go together, the next order when they are through.
    const open = stage.actions.filter((action) => !runs.some((run) => run.name === action.name));
    const order = Math.min(...open.map((action) => action.runOrder));
    if (open.length === 0 || runs.some((run) => run.status === "InProgress")) return false;
    for (const action of open.filter((one) => one.runOrder === order))
      this.#begin(execution.id, stage.name, action);
    return true;
  }

  #enter(execution: Execution): boolean {
    const others = this.history(execution.pipeline).filter(
      (one) => one.status === "InProgress" && one.id !== execution.id,
    );
    const newer = others.some(
      (one) => !one.entered && one.stage === execution.stage && one.number > execution.number,
    );
    if (newer && execution.declaration.executionMode === "SUPERSEDED") {
      this.#end(execution, "Superseded", "a newer push took its place before this stage");
      return true;
    }
    const occupied = others.some((one) => one.entered && one.stage === execution.stage);
    const ahead = others.some((one) => one.number < execution.number && one.stage <= execution.stage);
    // QUEUED: an older execution goes first through every stage.
    if (occupied || (ahead && execution.declaration.executionMode === "QUEUED")) return false;
    this.#put({ ...execution, entered: true });
    return true;
  }

  #begin(id: string, stage: string, action: ActionDeclaration): void {
    const execution = this.find(id);
    invariant(execution !== undefined, `no execution ${id}`);
    const now = this.#clock.now();
    const run: ActionRun = {
      name: action.name,
      status: "InProgress",
      summary: "",
      startedMs: now,
      changedMs: now,
      ...(action.actionTypeId.category === "Approval" ? { token: uuid(this.#random) } : {}),
    };
    const next = withRun(execution, stage, run);
    this.#put(next);
    if (action.actionTypeId.category === "Source")
      this.#finish(id, stage, action.name, "Succeeded", execution.revision.revisionId);
    if (action.actionTypeId.category === "Compute") this.#startCommands(next, stage, action);
  }

  #startCommands(execution: Execution, stage: string, action: ActionDeclaration): void {
    const controller = new AbortController();
    const name = `${execution.id}/${stage}/${action.name}`;
    this.#running.set(name, controller);
    const request = {
      pipeline: execution.pipeline,
      executionId: execution.id,
      stage,
      action: action.name,
      revisionId: execution.revision.revisionId,
      commands: action.commands ?? [],
      timeoutMs: (action.timeoutInMinutes ?? ACTION_TIMEOUT_MIN_DEFAULT) * 60_000,
      signal: controller.signal,
    };
    void this.#run(request)
      .catch((failure: unknown) => ({ kind: "failed" as const, summary: messageOf(failure) }))
      .then(async (outcome) => {
        this.#running.delete(name);
        // Stopped or shutting down: the action stays as it is, for `resume` or for good.
        if (controller.signal.aborted) return;
        this.#finish(
          execution.id,
          stage,
          action.name,
          outcome.kind === "succeeded" ? "Succeeded" : "Failed",
          outcome.summary,
        );
        await this.#store.commit();
      });
  }

  #finish(id: string, stage: string, action: string, status: "Succeeded" | "Failed", summary: string): void {
    const execution = this.find(id);
    const run = execution?.actions[stage]?.find(({ name }) => name === action);
    if (execution?.status !== "InProgress" || run?.status !== "InProgress") return;
    const ended = { ...run, status, summary, changedMs: this.#clock.now() };
    this.#put(withRun(execution, stage, status === "Failed" ? { ...ended, errorMessage: summary } : ended));
    this.#advance();
  }

  #end(execution: Execution, status: Execution["status"], statusSummary: string): void {
    this.#put({ ...execution, status, statusSummary, entered: false });
    this.#advance();
  }

  #put(execution: Execution): void {
    const before = this.#executions.get(key(execution));
    const changed = { ...execution, changedMs: this.#clock.now() };
    this.#executions.set(key(execution), changed);
    this.#changed(before, changed);
  }
}

function withRun(execution: Execution, stage: string, run: ActionRun): Execution {
  const others = (execution.actions[stage] ?? []).filter(({ name }) => name !== run.name);
  return { ...execution, actions: { ...execution.actions, [stage]: [...others, run] } };
}

function key(execution: Execution): string {
  return `${execution.pipeline}/${String(execution.number).padStart(8, "0")}`;
}

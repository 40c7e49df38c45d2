import type { Clock, Log } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import { parseJson } from "../json.ts";
import { DeploymentQueue, Ongoing, type Deployment } from "./deployment.ts";
import { failureOf, type DeploymentResult, type Restart } from "./deployment-error.ts";
import { platformOf } from "./platform.ts";
import { DeploymentTask, ONGOING, type TaskOptions } from "./deployment-task.ts";

/** The nucleus looks at its queue this often. */
export const POLLING_SECONDS = 15;

/** Hears what becomes of a deployment; what it remembers is durable when it resolves. */
export interface DeploymentListener {
  begun(deployment: Deployment): Promise<void>;
  ended(deployment: Deployment, result: DeploymentResult): Promise<void>;
}

interface DeploymentServiceOptions extends TaskOptions {
  readonly listeners: readonly DeploymentListener[];
  readonly pollingSeconds: () => number;
  /** Called when a deployment needs the nucleus to start anew; nothing is begun here any more. */
  readonly restart: (what: Restart["restart"]) => void;
}

/** Takes deployments from everywhere and carries them out one at a time. */
export class DeploymentService {
  readonly #options: DeploymentServiceOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #queue = new DeploymentQueue();
  readonly #die = new AbortController();
  readonly #startedMs: number;
  #current: { readonly deployment: Deployment; readonly task: DeploymentTask } | undefined;
  #isLooking = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: DeploymentServiceOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#startedMs = options.clock.monotonicMs();
  }

  get current(): Deployment | undefined {
    return this.#current?.deployment;
  }

  get isIdle(): boolean {
    return this.#current === undefined && this.#queue.size === 0;
  }

  /** The deployment that was under way when the device went down. */
  async interrupted(): Promise<Ongoing | undefined> {
    return Ongoing.safeParse(parseJson((await this.#options.root.readText(ONGOING)) ?? "")).data;
  }

  /** Takes up what a power cut or a restart interrupted. */
  start(ongoing: Ongoing | undefined): void {
    if (ongoing === undefined) return;
    const { deployment, stage } = ongoing;
    this.#log.info("going on with an interrupted deployment", { deployment: deployment.id, stage });
    this.#running = stage === "preparing" ? this.#run(deployment) : this.#run(deployment, ongoing);
  }

  offer(deployment: Deployment): void {
    if (this.#current?.deployment.id === deployment.id) return;
    // A newer deployment for the thing itself takes the place of the one under way, where that can still be stopped.
    if (deployment.source === "SHADOW" && this.#current?.deployment.source === "SHADOW")
      this.#current.task.cancel();
    this.#queue.offer(deployment);
    this.#lookLater();
  }

  /** Takes a deployment back, waiting (nobody is told of it then) or not yet changing the device. */
  cancel(id: string): "withdrawn" | "canceled" | "too late" {
    if (this.#queue.withdraw(id)) return "withdrawn";
    return this.#current?.deployment.id === id && this.#current.task.cancel() ? "canceled" : "too late";
  }

  /** Ends without a report, as a power cut does; what was under way is taken up at the next start. */
  async stop(): Promise<void> {
    this.#die.abort(new Error("the core device stops"));
    await this.#running;
  }

  /** At the next tick of the poll; while nothing waits there is no timer. */
  #lookLater(): void {
    if (this.#isLooking || this.#current !== undefined || this.#die.signal.aborted) return;
    this.#isLooking = true;
    const everyMs = Math.max(1, this.#options.pollingSeconds()) * 1000;
    const sinceTickMs = (this.#clock.monotonicMs() - this.#startedMs) % everyMs;
    this.#clock.timer(everyMs - sinceTickMs, () => {
      this.#isLooking = false;
      if (this.#current !== undefined || this.#die.signal.aborted) return;
      const next = this.#queue.take();
      if (next !== undefined) this.#running = this.#run(next);
    });
  }

  async #run(deployment: Deployment, ongoing?: Ongoing): Promise<void> {
    const platform = platformOf(this.#options.platform, this.#options.configuration.tree);
    const task = new DeploymentTask(deployment, { ...this.#options, platform }, this.#die.signal);
    this.#current = { deployment, task };
    this.#log.info("deployment begins", { deployment: deployment.id, source: deployment.source });
    try {
      for (const listener of this.#options.listeners) await listener.begun(deployment);
      const result = await this.#carryOut(task, ongoing);
      if ("restart" in result) {
        this.#log.info("the nucleus restarts for a deployment", { deployment: deployment.id, ...result });
        this.#options.restart(result.restart);
        return;
      }
      this.#log.info("deployment ended", {
        deployment: deployment.id,
        status: result.status,
        detailedStatus: result.detailedStatus,
        why: result.failure?.cause,
      });
      for (const listener of this.#options.listeners) await listener.ended(deployment, result);
      await this.#options.root.removeTree(ONGOING);
    } catch (failure) {
      if (this.#die.signal.aborted) return;
      this.#log.error("a deployment's outcome could not be kept", { why: messageOf(failure) });
    }
    this.#current = undefined;
    if (this.#queue.size > 0) this.#lookLater();
  }

  async #carryOut(task: DeploymentTask, ongoing: Ongoing | undefined): Promise<DeploymentResult | Restart> {
    try {
      return await (ongoing === undefined ? task.run() : task.resume(ongoing));
    } catch (failure) {
      this.#die.signal.throwIfAborted();
      return { status: "FAILED", detailedStatus: "FAILED_UNABLE_TO_ROLLBACK", failure: failureOf(failure) };
    }
  }
}

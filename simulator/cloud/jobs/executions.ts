import type { Clock, Instant } from "@coalmine/ports";
import { notFound } from "../iot/operation.ts";
import type { CloudEvents } from "../service.ts";
import type { Store, Table } from "../store/store.ts";
import { type Execution, type ExecutionStatus, inOrder, isTerminal, type Job } from "./job.ts";
import { KeyedTimers } from "../keyed-timers.ts";

/** Told when what a thing has to do changed, with what it had to do before. */
export type PendingChanged = (
  thingName: string,
  namespaceId: string | undefined,
  before: readonly Execution[],
) => void;

const MINUTE_MS = 60_000;

/** What each thing has to do for each job, found by either, and timed out when it takes too long. */
export class Executions {
  readonly #table: Table<Execution>;
  readonly #clock: Clock;
  readonly #events: CloudEvents;
  readonly #jobOf: (jobId: string) => Job;
  readonly #ended: (execution: Execution) => void;
  readonly #ofThing = new Map<string, Set<string>>();
  readonly #ofJob = new Map<string, Map<string, ExecutionStatus>>();
  readonly #timeouts: KeyedTimers;
  #pendingChanged: PendingChanged = () => {};
  #order = 0;

  constructor(options: {
    readonly store: Store;
    readonly clock: Clock;
    readonly events: CloudEvents;
    readonly jobOf: (jobId: string) => Job;
    readonly ended: (execution: Execution) => void;
  }) {
    this.#clock = options.clock;
    this.#events = options.events;
    this.#jobOf = options.jobOf;
    this.#ended = options.ended;
    this.#timeouts = new KeyedTimers(options.clock);
    this.#table = options.store.table("iot-job-executions");
    for (const [, execution] of this.#table.entries()) {
      this.#index(execution);
      this.#order = Math.max(this.#order, execution.order);
      this.#armTimeout(execution);
    }
  }

  onPendingChanged(changed: PendingChanged): void {
    this.#pendingChanged = changed;
  }

  get(jobId: string, thingName: string): Execution {
    const execution = this.#table.get(keyOf(jobId, thingName));
    if (execution === undefined) throw notFound(`The execution of job ${jobId} on thing ${thingName}`);
    return execution;
  }

  status(jobId: string, thingName: string): ExecutionStatus | undefined {
    return this.#ofJob.get(jobId)?.get(thingName);
  }

  /** Sorted by thing. */
  of(jobId: string): Execution[] {
    return [...(this.#ofJob.get(jobId)?.keys() ?? [])].sort().map((thing) => this.get(jobId, thing));
  }

  /** Next first. */
  on(thingName: string): Execution[] {
    return [...(this.#ofThing.get(thingName) ?? [])].map((jobId) => this.get(jobId, thingName)).sort(inOrder);
  }

  counts(jobId: string): Partial<Record<ExecutionStatus, number>> {
    const counts: Partial<Record<ExecutionStatus, number>> = {};
    for (const status of this.#ofJob.get(jobId)?.values() ?? []) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  }

  areAllOver(jobId: string): boolean {
    return [...(this.#ofJob.get(jobId)?.values() ?? [])].every(isTerminal);
  }

  /** What the thing has to do in that namespace (none is a namespace of its own), next first. */
  pending(thingName: string, namespaceId: string | undefined): Execution[] {
    return this.on(thingName).filter(
      ({ status, jobId }) =>
        !isTerminal(status) && (this.#jobOf(jobId).namespaceId ?? undefined) === namespaceId,
    );
  }

  /** A new one, or the next after one that is over. */
  queue(jobId: string, thingName: string, retries: Execution["retries"] = {}): void {
    const former = this.#table.get(keyOf(jobId, thingName));
    const now = this.#clock.now();
    this.#put({
      jobId,
      thingName,
      status: "QUEUED",
      statusDetails: {},
      queuedAt: now,
      lastUpdatedAt: now,
      versionNumber: 1,
      executionNumber: (former?.executionNumber ?? 0) + 1,
      order: ++this.#order,
      forceCanceled: false,
      retries,
    });
  }

  /** As the device reports. The caller has checked that the transition is allowed. */
  report(
    execution: Execution,
    status: ExecutionStatus,
    {
      statusDetails,
      stepTimeoutInMinutes: minutes,
    }: {
      readonly statusDetails?: Execution["statusDetails"] | null | undefined;
      /** Of what the device does now; -1 ends such a timeout. */
      readonly stepTimeoutInMinutes?: number | null | undefined;
    } = {},
  ): Execution {
    const { stepTimesOutAt, ...former } = execution;
    const stepEndsAt =
      typeof minutes !== "number"
        ? stepTimesOutAt
        : minutes > 0
          ? this.#clock.now() + minutes * MINUTE_MS
          : undefined;
    return this.move(former, status, {
      ...(statusDetails === null || statusDetails === undefined ? {} : { statusDetails }),
      ...(stepEndsAt === undefined ? {} : { stepTimesOutAt: stepEndsAt }),
    });
  }

  move(execution: Execution, status: ExecutionStatus, change: Partial<Execution> = {}): Execution {
    const now = this.#clock.now();
    const begins = status === "IN_PROGRESS" && execution.startedAt === undefined;
    const patience = this.#jobOf(execution.jobId).timeoutConfig?.inProgressTimeoutInMinutes;
    const moved: Execution = {
      ...execution,
      ...change,
      status,
      lastUpdatedAt: now,
      versionNumber: execution.versionNumber + 1,
      ...(begins ? { startedAt: now } : {}),
      ...(begins && typeof patience === "number" ? { timesOutAt: now + patience * MINUTE_MS } : {}),
    };
    this.#put(moved);
    if (isTerminal(status)) this.#ended(moved);
    return moved;
  }

  forget(jobId: string, thingName: string): void {
    this.#table.delete(keyOf(jobId, thingName));
    this.#ofThing.get(thingName)?.delete(jobId);
    this.#ofJob.get(jobId)?.delete(thingName);
  }

  stop(): void {
    this.#timeouts.cancelAll();
  }

  #put(execution: Execution): void {
    const { jobId, thingName, status, statusDetails } = execution;
    const namespaceId = this.#jobOf(jobId).namespaceId ?? undefined;
    const before = this.pending(thingName, namespaceId);
    this.#table.set(keyOf(jobId, thingName), execution);
    this.#index(execution);
    this.#armTimeout(execution);
    const at = this.#clock.now();
    this.#events.emit({ kind: "job-execution", jobId, thingName, status, statusDetails, at });
    this.#pendingChanged(thingName, namespaceId, before);
  }

  #armTimeout({ jobId, thingName, status, timesOutAt, stepTimesOutAt }: Execution): void {
    const key = keyOf(jobId, thingName);
    const deadline: Instant = Math.min(timesOutAt ?? Infinity, stepTimesOutAt ?? Infinity);
    if (status !== "IN_PROGRESS" || deadline === Infinity) return this.#timeouts.cancel(key);
    this.#timeouts.set(key, Math.max(0, deadline - this.#clock.now()), () => {
      const now = this.#table.get(key);
      if (now?.status === "IN_PROGRESS") this.move(now, "TIMED_OUT");
    });
  }

  #index({ jobId, thingName, status }: Execution): void {
    const jobs = this.#ofThing.get(thingName) ?? new Set();
    jobs.add(jobId);
    this.#ofThing.set(thingName, jobs);
    const things = this.#ofJob.get(jobId) ?? new Map<string, ExecutionStatus>();
    things.set(thingName, status);
    this.#ofJob.set(jobId, things);
  }
}

function keyOf(jobId: string, thingName: string): string {
  return `${jobId}\n${thingName}`;
}

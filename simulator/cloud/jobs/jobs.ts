import type { Clock, Timer } from "@coalmine/ports";
import { alreadyExists, invalid, notFound } from "../iot/operation.ts";
import type { Things } from "../iot/things.ts";
import { type CloudEvents, ServiceError } from "../service.ts";
import type { Store, Table } from "../store/store.ts";
import {
  abortReason,
  type Execution,
  type ExecutionStatus,
  inOrder,
  isTerminal,
  type Job,
  JobInput,
  type JobUpdate,
  ratePerMinute,
} from "./job.ts";
import { checkTargets, isTarget, thingsOf } from "./targets.ts";

/** Told when what a thing has to do changed, with what it had to do before. */
export type PendingChanged = (
  thingName: string,
  namespaceId: string | undefined,
  before: readonly Execution[],
) => void;

const MINUTE_MS = 60_000;

/** IoT Jobs: which thing has to do what, created at the rollout's rate and ended by its own rules. */
export class Jobs {
  readonly things: Things;
  readonly #jobs: Table<Job>;
  readonly #executions: Table<Execution>;
  readonly #clock: Clock;
  readonly #events: CloudEvents;
  readonly #ofThing = new Map<string, Set<string>>();
  readonly #ofJob = new Map<string, Map<string, ExecutionStatus>>();
  readonly #timeouts = new Map<string, Timer>();
  readonly #rollouts = new Map<string, Timer>();
  #pendingChanged: PendingChanged = () => {};
  #order = 0;

  constructor(options: {
    readonly store: Store;
    readonly clock: Clock;
    readonly events: CloudEvents;
    readonly things: Things;
  }) {
    this.things = options.things;
    this.#clock = options.clock;
    this.#events = options.events;
    this.#jobs = options.store.table("iot-jobs");
    this.#executions = options.store.table("iot-job-executions");
    for (const [, execution] of this.#executions.entries()) {
      this.#index(execution);
      this.#order = Math.max(this.#order, execution.order);
      this.#armTimeout(execution);
    }
    for (const [jobId, job] of this.#jobs.entries())
      if (job.status === "IN_PROGRESS") this.#armRollout(jobId, 0);
    options.events.on((event) => {
      if (event.kind === "group-membership") this.#membershipChanged(event.thingName);
    });
  }

  onPendingChanged(changed: PendingChanged): void {
    this.#pendingChanged = changed;
  }

  job(jobId: string): Job {
    const job = this.#jobs.get(jobId);
    if (job === undefined) throw notFound(`Job ${jobId}`);
    return job;
  }

  /** In order of job id. */
  get all(): Job[] {
    return [...this.#jobs.entries()].map(([, job]) => job);
  }

  create(asked: JobInput): Job {
    const parsed = JobInput.safeParse(asked);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw invalid(`${issue?.path.join(".") ?? "job"}: ${issue?.message ?? "unreadable"}`);
    }
    const input = parsed.data;
    if (this.#jobs.get(input.jobId) !== undefined)
      throw alreadyExists(`Job ${input.jobId}`, input.jobId, `job/${input.jobId}`);
    checkTargets(this.things, input.targets);
    const now = this.#clock.now();
    const job: Job = {
      ...input,
      status: "IN_PROGRESS",
      createdAt: now,
      lastUpdatedAt: now,
      forceCanceled: false,
      minuteFrom: now,
      createdInMinute: 0,
      notified: 0,
    };
    this.#jobs.set(job.jobId, job);
    this.#rollOut(job.jobId);
    return this.job(job.jobId);
  }

  /** Other settings or more targets; the rollout goes on by them. */
  update(jobId: string, change: JobUpdate): Job {
    const job = this.#inProgress(jobId);
    checkTargets(this.things, change.targets ?? []);
    this.#change(job, change);
    this.#rollOut(jobId);
    return this.job(jobId);
  }

  #inProgress(jobId: string): Job {
    const job = this.job(jobId);
    if (job.status !== "IN_PROGRESS") throw invalid(`Job ${jobId} is ${job.status} already.`);
    return job;
  }

  /** Executions that have not begun are canceled; `force` takes those in progress too. */
  cancel(jobId: string, options: { reasonCode?: string; comment?: string; force?: boolean } = {}): Job {
    const job = this.#inProgress(jobId);
    const { reasonCode, comment, force = false } = options;
    this.#change(job, {
      status: "CANCELED",
      completedAt: this.#clock.now(),
      forceCanceled: force,
      ...(reasonCode === undefined ? {} : { reasonCode }),
      ...(comment === undefined ? {} : { comment }),
    });
    this.#rollouts.get(jobId)?.cancel();
    for (const execution of this.executionsOf(jobId))
      if (execution.status === "QUEUED" || (force && execution.status === "IN_PROGRESS"))
        this.#move(execution, "CANCELED", { forceCanceled: force });
    return this.job(jobId);
  }

  cancelExecution(jobId: string, thingName: string, force: boolean): void {
    const execution = this.execution(jobId, thingName);
    if (isTerminal(execution.status) || (execution.status === "IN_PROGRESS" && !force))
      throw new ServiceError(
        "InvalidStateTransitionException",
        409,
        `The execution on ${thingName} is ${execution.status}: it cannot be canceled${force ? "" : " without force"}.`,
      );
    this.#move(execution, "CANCELED", { forceCanceled: force });
  }

  delete(jobId: string, force: boolean): void {
    const job = this.job(jobId);
    if (job.status === "IN_PROGRESS") {
      if (!force)
        throw new ServiceError("InvalidStateTransitionException", 409, `Job ${jobId} is in progress.`);
      this.cancel(jobId, { force: true });
    }
    for (const { thingName } of this.executionsOf(jobId)) this.#forget(jobId, thingName);
    this.#ofJob.delete(jobId);
    this.#jobs.delete(jobId);
  }

  /** What a device has begun is canceled before, by `force` alone. */
  deleteExecution(jobId: string, thingName: string, force: boolean): void {
    const { status } = this.execution(jobId, thingName);
    if (!isTerminal(status)) {
      if (status === "IN_PROGRESS" && !force)
        throw new ServiceError(
          "InvalidStateTransitionException",
          409,
          `The execution on ${thingName} is IN_PROGRESS: it cannot be deleted without force.`,
        );
      this.cancelExecution(jobId, thingName, force);
    }
    this.#forget(jobId, thingName);
  }

  #forget(jobId: string, thingName: string): void {
    this.#executions.delete(`${jobId}\n${thingName}`);
    this.#ofThing.get(thingName)?.delete(jobId);
    this.#ofJob.get(jobId)?.delete(thingName);
  }

  execution(jobId: string, thingName: string): Execution {
    const execution = this.#executions.get(`${jobId}\n${thingName}`);
    if (execution === undefined) throw notFound(`The execution of job ${jobId} on thing ${thingName}`);
    return execution;
  }

  /** Sorted by thing. */
  executionsOf(jobId: string): Execution[] {
    return [...(this.#ofJob.get(jobId)?.keys() ?? [])].sort().map((thing) => this.execution(jobId, thing));
  }

  executionsOn(thingName: string): Execution[] {
    return [...(this.#ofThing.get(thingName) ?? [])]
      .map((jobId) => this.execution(jobId, thingName))
      .sort(inOrder);
  }

  counts(jobId: string): Partial<Record<ExecutionStatus, number>> {
    const counts: Partial<Record<ExecutionStatus, number>> = {};
    for (const status of this.#ofJob.get(jobId)?.values() ?? []) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  }

  /** What the thing has to do in that namespace (none is a namespace of its own), next first. */
  pending(thingName: string, namespaceId: string | undefined): Execution[] {
    return this.executionsOn(thingName).filter(
      ({ status, jobId }) =>
        !isTerminal(status) && (this.job(jobId).namespaceId ?? undefined) === namespaceId,
    );
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
    return this.#move(former, status, {
      ...(statusDetails === null || statusDetails === undefined ? {} : { statusDetails }),
      ...(stepEndsAt === undefined ? {} : { stepTimesOutAt: stepEndsAt }),
    });
  }

  /** Creates as many executions as this minute still allows, and comes back for the rest. */
  #rollOut(jobId: string): void {
    const job = this.#jobs.get(jobId);
    if (job === undefined || job.status !== "IN_PROGRESS") return;
    const known = this.#ofJob.get(jobId);
    const waiting = thingsOf(this.things, job.targets).filter((thing) => {
      const status = known?.get(thing);
      return status === undefined || status === "REMOVED";
    });
    if (waiting.length === 0) return this.#completeIfDone(job);
    const now = this.#clock.now();
    const isNewMinute = now - job.minuteFrom >= MINUTE_MS;
    const created = isNewMinute ? 0 : job.createdInMinute;
    const rate = ratePerMinute(
      job.jobExecutionsRolloutConfig,
      job.notified,
      this.counts(jobId).SUCCEEDED ?? 0,
    );
    const chosen = waiting.slice(0, Math.max(0, rate - created));
    const minuteFrom = isNewMinute ? now : job.minuteFrom;
    this.#change(job, {
      minuteFrom,
      createdInMinute: created + chosen.length,
      notified: job.notified + chosen.length,
    });
    for (const thingName of chosen) this.#queue(job, thingName);
    if (chosen.length < waiting.length) this.#armRollout(jobId, minuteFrom + MINUTE_MS - now);
  }

  #armRollout(jobId: string, delayMs: number): void {
    this.#rollouts.get(jobId)?.cancel();
    this.#rollouts.set(
      jobId,
      this.#clock.timer(delayMs, () => {
        this.#rollouts.delete(jobId);
        this.#rollOut(jobId);
      }),
    );
  }

  #queue(job: Job, thingName: string): void {
    const former = this.#executions.get(`${job.jobId}\n${thingName}`);
    const before = this.pending(thingName, job.namespaceId ?? undefined);
    const now = this.#clock.now();
    this.#put(
      {
        jobId: job.jobId,
        thingName,
        status: "QUEUED",
        statusDetails: {},
        queuedAt: now,
        lastUpdatedAt: now,
        versionNumber: 1,
        executionNumber: (former?.executionNumber ?? 0) + 1,
        order: ++this.#order,
        forceCanceled: false,
      },
      before,
    );
  }

  #move(execution: Execution, status: ExecutionStatus, change: Partial<Execution>): Execution {
    const { jobId, thingName } = execution;
    const job = this.job(jobId);
    const now = this.#clock.now();
    const begins = status === "IN_PROGRESS" && execution.startedAt === undefined;
    const patience = job.timeoutConfig?.inProgressTimeoutInMinutes;
    const moved: Execution = {
      ...execution,
      ...change,
      status,
      lastUpdatedAt: now,
      versionNumber: execution.versionNumber + 1,
      ...(begins ? { startedAt: now } : {}),
      ...(begins && typeof patience === "number" ? { timesOutAt: now + patience * MINUTE_MS } : {}),
    };
    this.#put(moved, this.pending(thingName, job.namespaceId ?? undefined));
    if (isTerminal(status)) this.#ended(jobId);
    return moved;
  }

  #put(execution: Execution, before: readonly Execution[]): void {
    const { jobId, thingName, status, statusDetails } = execution;
    this.#executions.set(`${jobId}\n${thingName}`, execution);
    this.#index(execution);
    this.#armTimeout(execution);
    this.#events.emit({
      kind: "job-execution",
      jobId,
      thingName,
      status,
      statusDetails,
      at: this.#clock.now(),
    });
    this.#pendingChanged(thingName, this.job(jobId).namespaceId ?? undefined, before);
  }

  #ended(jobId: string): void {
    const job = this.job(jobId);
    if (job.status !== "IN_PROGRESS") return;
    const reason = abortReason(job.abortConfig, this.counts(jobId));
    if (reason !== undefined) {
      this.cancel(jobId, { reasonCode: "JOB_ABORTED", comment: reason });
      return;
    }
    this.#completeIfDone(job);
  }

  /** A continuous job never completes: a thing may always join. */
  #completeIfDone(job: Job): void {
    if (job.targetSelection === "CONTINUOUS" || this.#rollouts.has(job.jobId)) return;
    const statuses = [...(this.#ofJob.get(job.jobId)?.values() ?? [])];
    // Those that were deleted count too.
    const allBegun = job.notified >= thingsOf(this.things, job.targets).length;
    if (allBegun && statuses.every(isTerminal))
      this.#change(job, { status: "COMPLETED", completedAt: this.#clock.now() });
  }

  #membershipChanged(thingName: string): void {
    for (const job of this.all) {
      const { jobId } = job;
      if (job.status !== "IN_PROGRESS" || job.targetSelection !== "CONTINUOUS") continue;
      const status = this.#ofJob.get(jobId)?.get(thingName);
      const isMember = isTarget(this.things, job.targets, thingName);
      if (isMember && (status === undefined || status === "REMOVED")) this.#rollOut(jobId);
      else if (!isMember && status === "QUEUED") this.#move(this.execution(jobId, thingName), "REMOVED", {});
    }
  }

  #change(job: Job, change: Partial<Job>): void {
    this.#jobs.set(job.jobId, { ...this.job(job.jobId), ...change, lastUpdatedAt: this.#clock.now() });
  }

  #armTimeout({ jobId, thingName, status, timesOutAt, stepTimesOutAt }: Execution): void {
    const key = `${jobId}\n${thingName}`;
    this.#timeouts.get(key)?.cancel();
    this.#timeouts.delete(key);
    const deadline = Math.min(timesOutAt ?? Infinity, stepTimesOutAt ?? Infinity);
    if (status === "IN_PROGRESS" && deadline < Infinity)
      this.#timeouts.set(
        key,
        this.#clock.timer(Math.max(0, deadline - this.#clock.now()), () => {
          this.#timeouts.delete(key);
          const now = this.#executions.get(key);
          if (now?.status === "IN_PROGRESS") this.#move(now, "TIMED_OUT", {});
        }),
      );
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

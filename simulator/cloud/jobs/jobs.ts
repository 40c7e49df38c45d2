import type { Clock } from "@coalmine/ports";
import { alreadyExists, invalid, notFound, parsed } from "../iot/operation.ts";
import type { Things } from "../iot/things.ts";
import { KeyedTimers } from "../keyed-timers.ts";
import { type CloudEvents, ServiceError } from "../service.ts";
import type { Store, Table } from "../store/store.ts";
import { Executions } from "./executions.ts";
import { abortReason, type Execution, isTerminal, type Job, nextRetries, ratePerMinute } from "./job.ts";
import { JobInput, type JobUpdate } from "./job-input.ts";
import { JobSchedule } from "./schedule.ts";
import { checkTargets, isTarget, thingsOf } from "./targets.ts";

const MINUTE_MS = 60_000;

/** IoT Jobs: rolled out to their targets at their rate and in their time, and ended by their own rules. */
export class Jobs {
  readonly things: Things;
  /** Who has to do what. */
  readonly executions: Executions;
  readonly #jobs: Table<Job>;
  readonly #clock: Clock;
  /** What a job does next: begin, or create more executions. */
  readonly #next: KeyedTimers;
  readonly #ends: KeyedTimers;

  constructor(options: {
    readonly store: Store;
    readonly clock: Clock;
    readonly events: CloudEvents;
    readonly things: Things;
  }) {
    this.things = options.things;
    this.#clock = options.clock;
    this.#next = new KeyedTimers(options.clock);
    this.#ends = new KeyedTimers(options.clock);
    this.#jobs = options.store.table("iot-jobs");
    this.executions = new Executions({
      ...options,
      jobOf: (jobId) => this.job(jobId),
      ended: (execution) => this.#ended(execution),
    });
    for (const job of this.all)
      if (!isOver(job)) {
        this.#armEnd(job);
        if (job.status === "SCHEDULED") this.#armStart(job);
        else this.#armRollout(job.jobId, 0);
      }
    options.events.on((event) => {
      if (event.kind === "group-membership") this.#membershipChanged(event.thingName);
    });
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
    const input = parsed(JobInput, asked);
    if (this.#jobs.get(input.jobId) !== undefined)
      throw alreadyExists(`Job ${input.jobId}`, input.jobId, `job/${input.jobId}`);
    checkTargets(this.things, input.targets);
    const now = this.#clock.now();
    const schedule = new JobSchedule(input.schedulingConfig);
    const fault = schedule.faultAt(now);
    if (fault !== undefined) throw invalid(`schedulingConfig: ${fault}.`);
    const job: Job = {
      ...input,
      status: schedule.startsAt === undefined ? "IN_PROGRESS" : "SCHEDULED",
      createdAt: now,
      lastUpdatedAt: now,
      forceCanceled: false,
      minuteFrom: now,
      createdInMinute: 0,
      notified: 0,
    };
    this.#jobs.set(job.jobId, job);
    this.#armEnd(job);
    if (job.status === "SCHEDULED") this.#armStart(job);
    else this.#rollOut(job.jobId);
    return this.job(job.jobId);
  }

  /** Other settings or more targets; the rollout goes on by them. */
  update(jobId: string, change: JobUpdate): Job {
    const job = this.#notOver(jobId);
    checkTargets(this.things, change.targets ?? []);
    this.#change(job, change);
    this.#rollOut(jobId);
    return this.job(jobId);
  }

  #notOver(jobId: string): Job {
    const job = this.job(jobId);
    if (isOver(job)) throw invalid(`Job ${jobId} is ${job.status} already.`);
    return job;
  }

  /** Executions that have not begun are canceled; `force` takes those in progress too. */
  cancel(jobId: string, options: { reasonCode?: string; comment?: string; force?: boolean } = {}): Job {
    const job = this.#notOver(jobId);
    const { reasonCode, comment, force = false } = options;
    this.#end(job, {
      status: "CANCELED",
      forceCanceled: force,
      ...(reasonCode === undefined ? {} : { reasonCode }),
      ...(comment === undefined ? {} : { comment }),
    });
    for (const execution of this.executions.of(jobId))
      if (execution.status === "QUEUED" || (force && execution.status === "IN_PROGRESS"))
        this.executions.move(execution, "CANCELED", { forceCanceled: force });
    return this.job(jobId);
  }

  cancelExecution(jobId: string, thingName: string, force: boolean): void {
    const execution = this.executions.get(jobId, thingName);
    if (isTerminal(execution.status) || (execution.status === "IN_PROGRESS" && !force))
      throw new ServiceError(
        "InvalidStateTransitionException",
        409,
        `The execution on ${thingName} is ${execution.status}: it cannot be canceled${force ? "" : " without force"}.`,
      );
    this.executions.move(execution, "CANCELED", { forceCanceled: force });
  }

  delete(jobId: string, force: boolean): void {
    const job = this.job(jobId);
    if (!isOver(job)) {
      if (!force)
        throw new ServiceError(
          "InvalidStateTransitionException",
          409,
          `Job ${jobId} is ${job.status}: it cannot be deleted without force.`,
        );
      this.cancel(jobId, { force: true });
    }
    for (const { thingName } of this.executions.of(jobId)) this.executions.forget(jobId, thingName);
    this.#jobs.delete(jobId);
  }

  /** What a device has begun is canceled before, by `force` alone. */
  deleteExecution(jobId: string, thingName: string, force: boolean): void {
    const { status } = this.executions.get(jobId, thingName);
    if (!isTerminal(status)) {
      if (status === "IN_PROGRESS" && !force)
        throw new ServiceError(
          "InvalidStateTransitionException",
          409,
          `The execution on ${thingName} is IN_PROGRESS: it cannot be deleted without force.`,
        );
      this.cancelExecution(jobId, thingName, force);
    }
    this.executions.forget(jobId, thingName);
  }

  /** Creates as many executions as this minute still allows, in the job's windows, and comes back for the rest. */
  #rollOut(jobId: string): void {
    const job = this.#jobs.get(jobId);
    if (job === undefined || job.status !== "IN_PROGRESS" || job.rolloutStopped === true) return;
    const waiting = thingsOf(this.things, job.targets).filter((thing) => {
      const status = this.executions.status(jobId, thing);
      return status === undefined || status === "REMOVED";
    });
    if (waiting.length === 0) return this.#completeIfDone(job);
    const now = this.#clock.now();
    const opensAt = new JobSchedule(job.schedulingConfig).opensAt(now);
    if (opensAt === undefined) return;
    if (opensAt > now) return this.#armRollout(jobId, opensAt - now);
    const isNewMinute = now - job.minuteFrom >= MINUTE_MS;
    const created = isNewMinute ? 0 : job.createdInMinute;
    const rate = ratePerMinute(
      job.jobExecutionsRolloutConfig,
      job.notified,
      this.executions.counts(jobId).SUCCEEDED ?? 0,
    );
    const chosen = waiting.slice(0, Math.max(0, rate - created));
    const minuteFrom = isNewMinute ? now : job.minuteFrom;
    this.#change(job, {
      minuteFrom,
      createdInMinute: created + chosen.length,
      notified: job.notified + chosen.length,
    });
    for (const thingName of chosen) this.executions.queue(jobId, thingName);
    if (chosen.length < waiting.length) this.#armRollout(jobId, minuteFrom + MINUTE_MS - now);
  }

  #armRollout(jobId: string, delayMs: number): void {
    this.#next.set(jobId, delayMs, () => this.#rollOut(jobId));
  }

  #armStart(job: Job): void {
    const { startsAt = 0 } = new JobSchedule(job.schedulingConfig);
    this.#next.set(job.jobId, Math.max(0, startsAt - this.#clock.now()), () => {
      this.#change(job, { status: "IN_PROGRESS" });
      this.#rollOut(job.jobId);
    });
  }

  #armEnd({ jobId, schedulingConfig }: Job): void {
    const { endsAt } = new JobSchedule(schedulingConfig);
    if (endsAt === undefined) return;
    const behavior = schedulingConfig?.endBehavior ?? "STOP_ROLLOUT";
    this.#ends.set(jobId, Math.max(0, endsAt - this.#clock.now()), () => {
      const job = this.job(jobId);
      if (behavior !== "STOP_ROLLOUT") {
        this.cancel(jobId, { force: behavior === "FORCE_CANCEL" });
        return;
      }
      this.#next.cancel(jobId);
      this.#change(job, { rolloutStopped: true });
      this.#completeIfDone(this.job(jobId));
    });
  }

  #ended(execution: Execution): void {
    const { jobId, thingName } = execution;
    const job = this.job(jobId);
    if (job.status !== "IN_PROGRESS") return;
    const retries = nextRetries(job.jobExecutionsRetryConfig, execution);
    if (retries !== undefined) {
      this.executions.queue(jobId, thingName, retries);
      return;
    }
    const reason = abortReason(job.abortConfig, this.executions.counts(jobId));
    if (reason !== undefined) {
      this.cancel(jobId, { reasonCode: "JOB_ABORTED", comment: reason });
      return;
    }
    this.#completeIfDone(job);
  }

  /** A continuous job never completes by itself: a thing may always join. */
  #completeIfDone(job: Job): void {
    const { jobId, rolloutStopped = false } = job;
    if ((job.targetSelection === "CONTINUOUS" && !rolloutStopped) || this.#next.has(jobId)) return;
    // Those that were deleted count too.
    const allBegun = rolloutStopped || job.notified >= thingsOf(this.things, job.targets).length;
    if (allBegun && this.executions.areAllOver(jobId)) this.#end(job, { status: "COMPLETED" });
  }

  #membershipChanged(thingName: string): void {
    for (const job of this.all) {
      const { jobId } = job;
      if (job.status !== "IN_PROGRESS" || job.targetSelection !== "CONTINUOUS") continue;
      const status = this.executions.status(jobId, thingName);
      const isMember = isTarget(this.things, job.targets, thingName);
      if (isMember && (status === undefined || status === "REMOVED")) this.#rollOut(jobId);
      else if (!isMember && status === "QUEUED")
        this.executions.move(this.executions.get(jobId, thingName), "REMOVED");
    }
  }

  /** Nothing happens by time any more; what is stored goes on with the next `Jobs`. */
  stop(): void {
    this.#next.cancelAll();
    this.#ends.cancelAll();
    this.executions.stop();
  }

  #end(job: Job, change: Partial<Job>): void {
    this.#change(job, { ...change, completedAt: this.#clock.now() });
    this.#next.cancel(job.jobId);
    this.#ends.cancel(job.jobId);
  }

  #change(job: Job, change: Partial<Job>): void {
    this.#jobs.set(job.jobId, { ...this.job(job.jobId), ...change, lastUpdatedAt: this.#clock.now() });
  }
}

function isOver({ status }: Job): boolean {
  return status === "CANCELED" || status === "COMPLETED";
}

import type { Clock } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { Score } from "./score.ts";
import type { ServedModel } from "./served-model.ts";
import type { Window } from "./window.ts";

export interface ScoringLimits {
  readonly batchWindowsMax: number;
  readonly batchAgeMs: number;
  readonly deadlineMs: number;
  readonly windowsWaitingMax: number;
}

/** Why a window has no result. `worker`: what runs the model was lost three times; `model`: it refused the window. */
export const failureCauses = ["late", "overflow", "model", "worker", "outbox", "stopped"] as const;
export type FailureCause = (typeof failureCauses)[number];

/** Told of everything that happens to windows; each window that was taken is told of once, as scored or as failed. */
export interface ScoringEvents {
  /** A batch's windows with their scores, in the order in which they were taken. `runMs` is the batch's. */
  scored(batch: readonly Scored[], served: ServedModel, runMs: number): void;
  failed(window: Window, cause: FailureCause, reason: string): void;
  /** A worker was lost, or hangs; the windows are done again. */
  lost(served: ServedModel, failure: unknown): void;
  /** The model that shall score a window that `failed` could not, if there is one. */
  insteadOf(failed: ServedModel, reason: string): ServedModel | undefined;
}

export interface Scored {
  readonly window: Window;
  readonly score: Score;
  readonly latencyMs: number;
}

interface Waiting {
  readonly window: Window;
  readonly served: ServedModel;
  readonly arrivedMs: number;
}
type Outcome = Score | { readonly cause: "model" | "worker"; readonly reason: string };

/** So many that the model need not wait for us. */
const BATCHES_UNDER_WAY_MAX = 4;
/** With no more than these, as many are asked for as may be: a worker quicker than this thread is woken once for them. */
const BATCHES_UNDER_WAY_LOW = 2;
const ATTEMPTS_MAX = 3;

/** Windows wait here for their model, and run in batches. The model that serves when a window arrives scores it. */
export class Scoring {
  readonly #clock: Clock;
  readonly #limits: () => ScoringLimits;
  readonly #events: ScoringEvents;
  #waiting: Waiting[] = [];
  #underWay = 0;
  #windowsUnderWay = 0;
  #completed: Promise<void> = Promise.resolve();
  #isTimed = false;
  #isStopped = false;
  #idle: (() => void)[] = [];

  constructor(clock: Clock, limits: () => ScoringLimits, events: ScoringEvents) {
    this.#clock = clock;
    this.#limits = limits;
    this.#events = events;
  }

  /** Windows that were taken and have neither result nor failed. */
  get pending(): number {
    return this.#waiting.length + this.#windowsUnderWay;
  }

  take(window: Window, served: ServedModel): void {
    served.hold();
    this.#waiting.push({ window, served, arrivedMs: this.#clock.monotonicMs() });
    const { windowsWaitingMax } = this.#limits();
    if (this.#waiting.length > windowsWaitingMax) {
      const [oldest] = this.#waiting.splice(0, 1);
      if (oldest !== undefined) this.#fail(oldest, "overflow", `${windowsWaitingMax} windows wait already`);
    }
    this.#pump();
  }

  /** Resolves when no window is pending; at `signal` those that are have failed as `stopped`. */
  async stop(signal: AbortSignal): Promise<void> {
    this.#isStopped = true;
    this.#pump();
    await new Promise<void>((resolve) => {
      if (this.pending === 0 || signal.aborted) resolve();
      this.#idle.push(resolve);
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    for (const waiting of this.#waiting.splice(0)) this.#fail(waiting, "stopped", "the component stops");
  }

  #pump(): void {
    const isLow = this.#underWay <= BATCHES_UNDER_WAY_LOW;
    while (isLow && this.#underWay < BATCHES_UNDER_WAY_MAX && this.#waiting.length > 0) {
      const batch = this.#nextBatch();
      if (batch.length === 0) break;
      this.#underWay++;
      this.#windowsUnderWay += batch.length;
      const running = this.#run(batch);
      const before = this.#completed;
      // Batches are told of in order, also when one had to be done again.
      this.#completed = (async () => {
        const finish = await running;
        await before;
        this.#underWay--;
        this.#windowsUnderWay -= batch.length;
        finish();
        for (const { served } of batch) served.letGo();
        this.#pump();
      })();
    }
    if (this.pending === 0) for (const wake of this.#idle.splice(0)) wake();
  }

  /** The oldest windows of one model; empty while they may still wait for more. */
  #nextBatch(): Waiting[] {
    const { batchWindowsMax, batchAgeMs, deadlineMs } = this.#limits();
    const nowMs = this.#clock.monotonicMs();
    let count = 0;
    let late = 0;
    const served = this.#waiting[0]?.served;
    while (count < batchWindowsMax && this.#waiting[count]?.served === served) count++;
    while (late < count && nowMs - (this.#waiting[late]?.arrivedMs ?? nowMs) > deadlineMs) late++;
    for (const waiting of this.#waiting.splice(0, late))
      this.#fail(waiting, "late", `no run began within ${deadlineMs} ms`);
    if (late > 0) return this.#waiting.length === 0 ? [] : this.#nextBatch();
    const ageMs = nowMs - (this.#waiting[0]?.arrivedMs ?? nowMs);
    const isFull = count === batchWindowsMax || count < this.#waiting.length || this.#isStopped;
    if (!isFull && ageMs < batchAgeMs) {
      this.#pumpIn(batchAgeMs - ageMs);
      return [];
    }
    return this.#waiting.splice(0, count);
  }

  #pumpIn(delayMs: number): void {
    if (this.#isTimed) return;
    this.#isTimed = true;
    this.#clock.timer(delayMs, () => {
      this.#isTimed = false;
      this.#pump();
    });
  }

  /** Never rejects; gives what is to be told. */
  async #run(batch: readonly Waiting[]): Promise<() => void> {
    const served = batch[0]?.served;
    if (served === undefined) return () => undefined;
    const startedMs = this.#clock.monotonicMs();
    const outcomes = await this.#outcomes(batch, served);
    const endedMs = this.#clock.monotonicMs();
    return () => this.#tell(batch, outcomes, served, endedMs - startedMs, endedMs);
  }

  #tell(
    batch: readonly Waiting[],
    outcomes: readonly Outcome[],
    served: ServedModel,
    runMs: number,
    endedMs: number,
  ): void {
    const { deadlineMs } = this.#limits();
    const scored: Scored[] = [];
    const again: Waiting[] = [];
    for (const [index, waiting] of batch.entries()) {
      const outcome = outcomes[index];
      const latencyMs = endedMs - waiting.arrivedMs;
      if (outcome === undefined) continue;
      if (!("cause" in outcome) && latencyMs <= deadlineMs) {
        scored.push({ window: waiting.window, score: outcome, latencyMs });
      } else if (!("cause" in outcome)) {
        this.#tellFailed(waiting, "late", `its result came after ${Math.round(latencyMs)} ms`);
      } else {
        const instead = this.#events.insteadOf(served, outcome.reason);
        if (instead === undefined) {
          this.#tellFailed(waiting, outcome.cause, outcome.reason);
        } else {
          instead.hold();
          again.push({ ...waiting, served: instead });
        }
      }
    }
    if (scored.length > 0) this.#events.scored(scored, served, runMs);
    // A backlog is long and batches are many: nothing is moved where nothing comes again.
    if (again.length > 0) this.#waiting = [...again, ...this.#waiting];
  }

  async #outcomes(batch: readonly Waiting[], served: ServedModel): Promise<Outcome[]> {
    const windows = batch.map(({ window }) => window);
    for (let attempt = 1; ; attempt++) {
      const { opening } = served;
      try {
        return await served.score(windows);
      } catch (failure) {
        const reason = messageOf(failure);
        if (!isLost(failure)) {
          if (batch.length === 1) return [{ cause: "model", reason }];
          return this.#singly(batch, served);
        }
        this.#events.lost(served, failure);
        try {
          // Also where this was the last attempt: others wait for the model.
          await served.reopen(opening);
        } catch (refused) {
          return batch.map(() => ({ cause: "worker", reason: messageOf(refused) }));
        }
        // What hangs once hangs again, and each time leaves a thread behind that holds a processor.
        if (hangs(failure) && batch.length > 1) return this.#singly(batch, served);
        if (hangs(failure) || attempt === ATTEMPTS_MAX) return batch.map(() => ({ cause: "worker", reason }));
      }
    }
  }

  /** One of them is the culprit, and the others' results are wanted. */
  async #singly(batch: readonly Waiting[], served: ServedModel): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    for (const waiting of batch) outcomes.push(...(await this.#outcomes([waiting], served)));
    return outcomes;
  }

  #fail(waiting: Waiting, cause: FailureCause, reason: string): void {
    this.#tellFailed(waiting, cause, reason);
    waiting.served.letGo();
  }

  #tellFailed({ window }: Waiting, cause: FailureCause, reason: string): void {
    this.#events.failed(window, cause, reason);
  }
}

function isLost(failure: unknown): boolean {
  return hangs(failure) || hasCode(failure, "MODEL_WORKER_LOST");
}

function hangs(failure: unknown): boolean {
  return hasCode(failure, "MODEL_HANGS");
}

function hasCode(failure: unknown, code: string): boolean {
  return failure instanceof Error && "code" in failure && failure.code === code;
}

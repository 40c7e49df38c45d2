import { Worker } from "node:worker_threads";
import type { Clock, Timer } from "@coalmine/ports";
// Not the whole package: each worker and trial of sources would load it.
import { messageOf } from "@coalmine/runtime/error";
import { ModelFailure } from "./model-error.ts";
import {
  MODEL_WORKER_ROLE,
  type ModelAnswer,
  type ModelRequest,
  type ModelWorkerData,
  type OpenedModel,
  type Tensors,
} from "./model-messages.ts";
import { endings, ModelRing, SLOTS } from "./model-ring.ts";

/** Runs that may wait for the worker at once. */
const WAITING_MAX = 64;
/** Opening, or a run whose model says nothing of its own: after this long the worker is taken for hanging. */
const ANSWER_MS_MAX = 60_000;
/** A thread in the midst of a native run ends after it; after this long it is left to itself. */
const END_MS_MAX = 2000;

interface Waiting<Answer> {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (failure: ModelFailure) => void;
}
interface Run extends Waiting<Tensors> {
  readonly feeds: Tensors;
  startedMs: number;
}
type Body<Request> = Request extends { readonly id: number } ? Omit<Request, "id"> : never;

/** A worker thread, the one model in it, and what waits for its answers. */
export class ModelHome {
  readonly #ring = new ModelRing();
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  readonly #clock: Clock;
  readonly #runMsMax: number;
  /** In the ring, oldest first; and those that wait for a slot. */
  readonly #running: Run[] = [];
  readonly #queued: Run[] = [];
  readonly #messages = new Map<number, Waiting<ModelAnswer>>();
  #messageId = 0;
  #names: OpenedModel = { inputNames: [], outputNames: [] };
  #lost: string | undefined;
  #reading = false;
  #watchdog: Timer | undefined;
  /** Once outputs did not fit a slot, all runs go by message. */
  #byMessage = false;

  constructor(entry: URL, clock: Clock, runMsMax = ANSWER_MS_MAX) {
    this.#clock = clock;
    this.#runMsMax = runMsMax;
    const workerData: ModelWorkerData = { role: MODEL_WORKER_ROLE, memory: this.#ring.memory };
    this.#worker = new Worker(entry, { workerData });
    this.#worker.on("message", (answer: ModelAnswer) => this.#told(answer));
    this.#worker.on("error", (failure) =>
      this.#lose("MODEL_WORKER_LOST", `the model worker failed: ${messageOf(failure)}`),
    );
    process.once("exit", byForce);
    this.#ended = new Promise((resolve) => {
      this.#worker.on("exit", (code) => {
        process.off("exit", byForce);
        this.#lose("MODEL_WORKER_LOST", `the model worker ended with exit code ${code}`);
        resolve();
      });
    });
    // An idle worker does not keep the process.
    this.#worker.unref();
  }

  async open(path: string, sha256: string): Promise<OpenedModel> {
    const answer = await this.#ask({ kind: "open", path, sha256 }, ANSWER_MS_MAX);
    if (answer.kind !== "opened") throw unexpected(answer);
    this.#names = answer.opened;
    return answer.opened;
  }

  /** Runs are answered in the order in which they were asked. */
  run(feeds: Tensors): Promise<Tensors> {
    if (this.#lost !== undefined) return Promise.reject(this.#gone());
    if (this.#running.length + this.#queued.length + this.#messages.size >= WAITING_MAX)
      return Promise.reject(
        new ModelFailure("MODEL_RUN_FAILED", `${WAITING_MAX} runs wait for the model; ask less often`),
      );
    const { inputNames } = this.#names;
    for (const name of Object.keys(feeds))
      if (!inputNames.includes(name))
        return Promise.reject(
          new ModelFailure(
            "MODEL_RUN_FAILED",
            `the model has no input "${name}"; it has ${inputNames.join(", ")}`,
          ),
        );
    if (this.#byMessage) return this.#runByMessage(feeds);
    return new Promise((resolve, reject) => {
      this.#queued.push({ feeds, resolve, reject, startedMs: 0 });
      this.#feed();
    });
  }

  async end(): Promise<void> {
    this.#lose("MODEL_WORKER_LOST", "the model is closed");
    const waited = new AbortController();
    await Promise.race([this.#ended, this.#clock.sleep(END_MS_MAX, waited.signal).catch(() => undefined)]);
    waited.abort();
  }

  /** The thread ends before its next run, as if by itself. */
  crash(): Promise<void> {
    this.#ring.end();
    return this.#ended;
  }

  #feed(): void {
    while (this.#running.length < SLOTS) {
      const next = this.#queued.shift();
      if (next === undefined) break;
      if (this.#ring.ask(this.#names.inputNames, next.feeds)) {
        next.startedMs = this.#clock.monotonicMs();
        this.#running.push(next);
      } else {
        this.#runByMessage(next.feeds).then(next.resolve, next.reject);
      }
    }
    if (this.#running.length > 0 && !this.#reading) void this.#read();
  }

  async #read(): Promise<void> {
    this.#reading = true;
    this.#worker.ref();
    this.#watch(this.#runMsMax);
    let read = this.#ring.asked - this.#running.length;
    while (this.#running.length > 0) {
      await this.#ring.moreAnswered(read);
      if (this.#lost !== undefined) break;
      for (; read < this.#ring.answered; read++) this.#settle(read, this.#running.shift());
      this.#feed();
    }
    this.#worker.unref();
    this.#reading = false;
  }

  #settle(run: number, asked: Run | undefined): void {
    const next = this.#running[0];
    if (next !== undefined) next.startedMs = this.#clock.monotonicMs();
    switch (this.#ring.ending(run)) {
      case endings.ran:
        asked?.resolve(this.#ring.outputs(run, this.#names.outputNames));
        return;
      case endings.tooLarge:
        this.#byMessage = true;
        if (asked !== undefined) this.#runByMessage(asked.feeds).then(asked.resolve, asked.reject);
        return;
      default:
        asked?.reject(new ModelFailure("MODEL_RUN_FAILED", this.#ring.failure(run)));
    }
  }

  async #runByMessage(feeds: Tensors): Promise<Tensors> {
    const answer = await this.#ask({ kind: "run", feeds }, this.#runMsMax);
    if (answer.kind !== "ran") throw unexpected(answer);
    return answer.outputs;
  }

  #ask(request: Body<ModelRequest>, msMax: number): Promise<ModelAnswer> {
    if (this.#lost !== undefined) return Promise.reject(this.#gone());
    const id = ++this.#messageId;
    return new Promise((resolve, reject) => {
      const timer = this.#clock.timer(msMax, () => this.#hang(msMax));
      const settled = <Value>(settle: (value: Value) => void) => {
        return (value: Value): void => {
          timer.cancel();
          settle(value);
        };
      };
      this.#messages.set(id, { resolve: settled(resolve), reject: settled(reject) });
      this.#worker.ref();
      this.#worker.postMessage({ id, ...request }, []);
      this.#ring.wake();
    });
  }

  #told(answer: ModelAnswer): void {
    const waiting = this.#messages.get(answer.id);
    this.#messages.delete(answer.id);
    if (this.#messages.size === 0 && !this.#reading) this.#worker.unref();
    if (answer.kind === "failed") waiting?.reject(new ModelFailure(answer.code, answer.message));
    else waiting?.resolve(answer);
  }

  /** One timer for all runs: it looks whether the oldest is overdue, and goes to sleep with the last. */
  #watch(afterMs: number): void {
    this.#watchdog ??= this.#clock.timer(afterMs, () => {
      this.#watchdog = undefined;
      const oldest = this.#running[0];
      if (oldest === undefined || this.#lost !== undefined) return;
      const leftMs = oldest.startedMs + this.#runMsMax - this.#clock.monotonicMs();
      if (leftMs > 0) this.#watch(leftMs);
      else this.#hang(this.#runMsMax);
    });
  }

  #hang(msMax: number): void {
    this.#lose("MODEL_HANGS", `the model gave no answer within ${msMax} ms`);
  }

  #gone(code: "MODEL_WORKER_LOST" | "MODEL_HANGS" = "MODEL_WORKER_LOST"): ModelFailure {
    return new ModelFailure(code, `${this.#lost ?? "the model is closed"}; open the model again`);
  }

  /** `code` is for the run that is under way; those that wait behind it have done nothing wrong. */
  #lose(code: "MODEL_WORKER_LOST" | "MODEL_HANGS", why: string): void {
    this.#ring.end();
    if (this.#lost !== undefined) return;
    this.#lost = why;
    this.#watchdog?.cancel();
    const lost = [...this.#running.splice(0), ...this.#queued.splice(0), ...this.#messages.values()];
    this.#messages.clear();
    this.#worker.unref();
    this.#ring.wakeAsker();
    for (const [index, waiting] of lost.entries())
      waiting.reject(this.#gone(index === 0 ? code : "MODEL_WORKER_LOST"));
  }
}

/** A process that ends by itself waits for each thread, and aborts where one is in the midst of a run. */
function byForce(): void {
  process.kill(process.pid, "SIGKILL");
}

function unexpected(answer: ModelAnswer): ModelFailure {
  return new ModelFailure("MODEL_RUN_FAILED", `the model worker answered "${answer.kind}"`);
}

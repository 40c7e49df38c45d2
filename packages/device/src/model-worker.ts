import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Clock, Model, Models } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import { ModelFailure } from "./model-error.ts";
import { ModelFiles } from "./model-files.ts";
import {
  MODEL_WORKER_ROLE,
  type ModelAnswer,
  type ModelRequest,
  type OpenedModel,
} from "./model-messages.ts";
import { serveModelsIfWorker } from "./model-thread.ts";

/**
 * ONNX models in one worker thread, so that a run never stops the component's own loop.
 *
 * The worker begins in the file that this module ends up in: `main.mjs` in an artifact, which has no other file to
 * begin in, and this one where sources run. There its role makes it serve, and `runComponent` does nothing.
 */
serveModelsIfWorker();

/** Requests that may wait for the worker at once. */
const WAITING_MAX = 64;
/** A request that takes longer is taken for lost, and the worker with it. */
const ANSWER_MS_MAX = 60_000;

export interface ModelWorker extends Models {
  /** Ends the worker; open models are gone. */
  close(): Promise<void>;
}

type Body<Request> = Request extends { readonly id: number } ? Omit<Request, "id"> : never;
interface Waiting {
  resolve(answer: ModelAnswer): void;
  reject(failure: ModelFailure): void;
}

/** `workFolder` is the component's own; relative folders of models lie in it. */
export function modelWorker(workFolder: string, clock: Clock): ModelWorker {
  const files = new ModelFiles(workFolder);
  let thread: Thread | undefined;
  /** The worker is made with the first model, and again after it was lost. */
  const living = (): Thread => {
    if (thread === undefined || thread.isLost) thread = new Thread(clock);
    return thread;
  };
  return {
    open: async (folder, sha256) => {
      const path = join(await files.folder(folder), "model.onnx");
      const home = living();
      const answer = await home.ask({ kind: "open", path, sha256 });
      if (answer.kind !== "opened") throw unexpected(answer);
      return openModel(home, answer.opened);
    },
    readText: (folder, name) => files.readText(folder, name),
    copyToWork: (folder, target) => files.copy(folder, target),
    close: async () => {
      await thread?.end();
      thread = undefined;
    },
  };
}

function openModel(thread: Thread, { model, inputNames, outputNames }: OpenedModel): Model {
  return {
    inputNames,
    outputNames,
    run: async (feeds) => {
      const answer = await thread.ask({ kind: "run", model, feeds });
      if (answer.kind !== "ran") throw unexpected(answer);
      return answer.outputs;
    },
    close: async () => {
      if (!thread.isLost) await thread.ask({ kind: "close", model });
    },
  };
}

/** A worker with what waits for its answers. */
class Thread {
  readonly #worker = new Worker(new URL(import.meta.url), { workerData: MODEL_WORKER_ROLE });
  readonly #waiting = new Map<number, Waiting>();
  readonly #clock: Clock;
  #requests = 0;
  #isLost = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#worker.on("message", (answer: ModelAnswer) => this.#answered(answer));
    this.#worker.on("error", (failure) => this.#lose(`the model worker failed: ${messageOf(failure)}`));
    this.#worker.on("exit", (code) => this.#lose(`the model worker ended with exit code ${code}`));
    // An idle worker does not keep the process.
    this.#worker.unref();
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  ask(request: Body<ModelRequest>): Promise<ModelAnswer> {
    if (this.#isLost)
      return Promise.reject(
        new ModelFailure("MODEL_RUN_FAILED", "the model worker is gone; open the model again"),
      );
    if (this.#waiting.size >= WAITING_MAX)
      return Promise.reject(
        new ModelFailure(
          "MODEL_RUN_FAILED",
          `${WAITING_MAX} requests wait for the model worker; ask less often`,
        ),
      );
    const id = ++this.#requests;
    return new Promise((resolve, reject) => {
      const timer = this.#clock.timer(ANSWER_MS_MAX, () => {
        this.#lose(`the model worker gave no answer within ${ANSWER_MS_MAX} ms`);
        void this.#worker.terminate();
      });
      const settled = <Value>(settle: (value: Value) => void) => {
        return (value: Value): void => {
          timer.cancel();
          settle(value);
        };
      };
      this.#waiting.set(id, { resolve: settled(resolve), reject: settled(reject) });
      this.#worker.ref();
      this.#worker.postMessage({ id, ...request }, []);
    });
  }

  async end(): Promise<void> {
    this.#lose("the model worker was closed");
    await this.#worker.terminate();
  }

  #answered(answer: ModelAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if (answer.kind === "failed") waiting?.reject(new ModelFailure(answer.code, answer.message));
    else waiting?.resolve(answer);
  }

  #lose(why: string): void {
    this.#isLost = true;
    const lost = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#worker.unref();
    for (const waiting of lost) waiting.reject(new ModelFailure("MODEL_RUN_FAILED", why));
  }
}

function unexpected(answer: ModelAnswer): ModelFailure {
  return new ModelFailure("MODEL_RUN_FAILED", `the model worker answered "${answer.kind}"`);
}

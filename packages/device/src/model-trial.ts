import { fork } from "node:child_process";
import { constants, getPriority, setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import type { Clock } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime/error";
import { ModelFailure } from "./model-error.ts";
import type { ModelAnswer, Tensors } from "./model-messages.ts";

/**
 * A candidate's first runs, in a process of their own: native code that crashes or never returns cannot be stopped in a
 * thread, and would take the model that serves with it. A thread starts that process: whoever does waits until the
 * system has copied the map of all memory, which would stop the component's loop for 10 ms.
 */

/** In the environment of a process that was started for a trial. */
const ROLE = "COALMINE_MODEL_TRIAL";
/** What marks a worker thread as one that starts such a process. */
const THREAD_ROLE = "coalmine.model-trial";

interface TrialRequest {
  readonly path: string;
  readonly sha256: string;
  readonly feeds: readonly Tensors[];
}
type TrialAnswer =
  | { readonly kind: "ran"; readonly outputs: readonly Tensors[] }
  | Omit<Extract<ModelAnswer, { kind: "failed" }>, "id">;
interface TrialThreadData {
  readonly role: typeof THREAD_ROLE;
  readonly entry: string;
  readonly request: TrialRequest;
}

export function isModelTrial(): boolean {
  return process.env[ROLE] !== undefined;
}

/**
 * `entry` is the file that `startTrialIfThread` and `serveTrialIfAsked` are called in. Rejects where a run fails, or there
 * is no answer in time.
 */
export function tryModel(entry: URL, clock: Clock, request: TrialRequest, msMax: number): Promise<Tensors[]> {
  return new Promise((resolve, reject) => {
    const data: TrialThreadData = { role: THREAD_ROLE, entry: fileURLToPath(entry), request };
    const thread = new Worker(entry, { workerData: data });
    const timer = clock.timer(msMax, () => {
      thread.postMessage("end", []);
      reject(new ModelFailure("MODEL_HANGS", `the model on trial gave no answer within ${msMax} ms`));
    });
    thread.on("message", (answer: TrialAnswer) => {
      timer.cancel();
      if (answer.kind === "ran") resolve([...answer.outputs]);
      else reject(new ModelFailure(answer.code, answer.message));
    });
    thread.on("error", (cause) => {
      timer.cancel();
      reject(new ModelFailure("MODEL_WORKER_LOST", `no thread for a trial: ${messageOf(cause)}`, { cause }));
    });
  });
}

/** In a thread that was started for a trial, starts its process, and tells what that answers; anywhere else does nothing. */
export function startTrialIfThread(): void {
  const data: unknown = workerData;
  const port = parentPort;
  if (isMainThread || port === null || !isTrialThread(data)) return;
  const child = fork(data.entry, [], {
    env: { ...process.env, [ROLE]: "1" },
    serialization: "advanced",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const tell = (answer: TrialAnswer): void => port.postMessage(answer, []);
  // Whatever is told behind the first answer is heard by nobody.
  const lost = (message: string): void => {
    tell({ kind: "failed", code: "MODEL_WORKER_LOST", message });
    port.close();
  };
  child.on("message", (answer: TrialAnswer) => {
    tell(answer);
    child.kill("SIGKILL");
  });
  child.on("error", (cause) => lost(`no process for a trial: ${cause.message}`));
  child.on("exit", (code, signal) => lost(`the model on trial ended its process (${signal ?? code})`));
  port.on("message", () => child.kill("SIGKILL"));
  child.send(data.request);
}

function isTrialThread(data: unknown): data is TrialThreadData {
  return typeof data === "object" && data !== null && "role" in data && data.role === THREAD_ROLE;
}

/** In a process that was started for a trial, holds it; anywhere else does nothing. */
export function serveTrialIfAsked(run: (request: TrialRequest) => Promise<readonly Tensors[]>): void {
  if (!isModelTrial() || process.send === undefined) return;
  // On a board with one core free, what serves and reads goes first.
  setPriority(Math.max(getPriority(), constants.priority.PRIORITY_BELOW_NORMAL));
  process.once("message", (request: TrialRequest) => {
    void answer(request).then((told) => process.send?.(told));
  });
  process.once("disconnect", () => process.exit(0));

  async function answer(request: TrialRequest): Promise<TrialAnswer> {
    try {
      return { kind: "ran", outputs: await run(request) };
    } catch (thrown) {
      const code = thrown instanceof ModelFailure ? thrown.code : "MODEL_RUN_FAILED";
      return { kind: "failed", code, message: messageOf(thrown) };
    }
  }
}

import { fork } from "node:child_process";
import { constants, getPriority, setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import type { Clock } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime/error";
import { ModelFailure } from "./model-error.ts";
import type { ModelAnswer, Tensors } from "./model-messages.ts";

/**
 * A candidate's first runs, in a process of their own: native code that crashes or never returns cannot be stopped in a
 * thread, and would take the model that serves with it.
 */

/** In the environment of a process that was started for a trial. */
const ROLE = "COALMINE_MODEL_TRIAL";

interface TrialRequest {
  readonly path: string;
  readonly sha256: string;
  readonly feeds: readonly Tensors[];
}
type TrialAnswer =
  | { readonly kind: "ran"; readonly outputs: readonly Tensors[] }
  | Omit<Extract<ModelAnswer, { kind: "failed" }>, "id">;

export function isModelTrial(): boolean {
  return process.env[ROLE] !== undefined;
}

/** `entry` is the file that `serveTrialIfAsked` is called in. Rejects where a run fails, or there is no answer in time. */
export function tryModel(entry: URL, clock: Clock, request: TrialRequest, msMax: number): Promise<Tensors[]> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(entry), [], {
      env: { ...process.env, [ROLE]: "1" },
      serialization: "advanced",
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    const timer = clock.timer(msMax, () => {
      child.kill("SIGKILL");
      reject(new ModelFailure("MODEL_HANGS", `the model on trial gave no answer within ${msMax} ms`));
    });
    child.on("message", (answer: TrialAnswer) => {
      timer.cancel();
      child.kill("SIGKILL");
      if (answer.kind === "ran") resolve([...answer.outputs]);
      else reject(new ModelFailure(answer.code, answer.message));
    });
    child.on("error", (cause) => {
      timer.cancel();
      reject(new ModelFailure("MODEL_WORKER_LOST", `no process for a trial: ${cause.message}`, { cause }));
    });
    child.on("exit", (code, signal) => {
      timer.cancel();
      reject(
        new ModelFailure("MODEL_WORKER_LOST", `the model on trial ended its process (${signal ?? code})`),
      );
    });
    child.send(request);
  });
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

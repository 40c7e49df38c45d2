import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  isMainThread,
  type MessagePort,
  parentPort,
  receiveMessageOnPort,
  workerData,
} from "node:worker_threads";
import { messageOf } from "@coalmine/runtime/error";
import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { ModelFailure } from "./model-error.ts";
import {
  MODEL_WORKER_ROLE,
  type ModelAnswer,
  type ModelRequest,
  type ModelWorkerData,
  type Tensors,
} from "./model-messages.ts";
import { ModelRing } from "./model-ring.ts";
import { readTensors, RingRuns } from "./ring-runs.ts";

/** One thread an operation: on a small board, spinning helpers would take the processor from the serial port. */
const sessionOptions: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: "sequential",
  graphOptimizationLevel: "all",
  logSeverityLevel: 3,
};

/** In a thread that was started to run a model it does so; anywhere else it does nothing. */
export function serveModelIfWorker(): void {
  const data: unknown = workerData;
  if (!isMainThread && parentPort !== null && isWorkerData(data))
    void serve(parentPort, new ModelRing(data.memory));
}

function isWorkerData(data: unknown): data is ModelWorkerData {
  return typeof data === "object" && data !== null && "role" in data && data.role === MODEL_WORKER_ROLE;
}

/** Sleeps until something is asked, and answers it, until it is told to end; then the thread is over. */
async function serve(port: MessagePort, ring: ModelRing): Promise<void> {
  let runs: RingRuns | undefined;
  let session: InferenceSession | undefined;

  async function answer(request: ModelRequest): Promise<ModelAnswer> {
    const { id } = request;
    if (request.kind === "open") {
      session = await open(request.path, request.sha256);
      runs = new RingRuns(session, ring, await runtime());
      const { inputNames, outputNames } = session;
      return { id, kind: "opened", opened: { inputNames, outputNames } };
    }
    if (session === undefined) throw new ModelFailure("MODEL_RUN_FAILED", "no model is open");
    return { id, kind: "ran", outputs: await run(session, request.feeds) };
  }

  while (!ring.isEnding) {
    const { woken } = ring;
    for (
      let next = receiveMessageOnPort(port);
      next !== undefined && !ring.isEnding;
      next = receiveMessageOnPort(port)
    ) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nobody else has the port's other end.
      const request = next.message as ModelRequest;
      try {
        port.postMessage(await answer(request));
      } catch (thrown) {
        const code = thrown instanceof ModelFailure ? thrown.code : "MODEL_RUN_FAILED";
        port.postMessage({ id: request.id, kind: "failed", code, message: messageOf(thrown) });
      }
    }
    while (runs !== undefined && !ring.isEnding && ring.answered < ring.asked) await runs.next();
    if (!ring.isEnding) ring.sleep(woken);
  }
  port.close();
}

let loading: Promise<typeof import("./onnx-runtime.ts")> | undefined;

/** Loaded with the first model: the component's own thread has no use for it. To import it again takes as long as half a run. */
function runtime(): Promise<typeof import("./onnx-runtime.ts")> {
  return (loading ??= import("./onnx-runtime.ts"));
}

/** The session is made of the very bytes that were hashed. */
export async function open(path: string, sha256: string): Promise<InferenceSession> {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new ModelFailure("NO_MODEL", `cannot open ${path}: ${messageOf(cause)}`, { cause });
  }
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== sha256)
    throw new ModelFailure(
      "MODEL_HASH_MISMATCH",
      `cannot open ${path}: its SHA-256 is ${found}, ${sha256} was wanted; deploy the model's component again`,
    );
  const ort = await runtime();
  try {
    return await ort.InferenceSession.create(bytes, sessionOptions);
  } catch (cause) {
    throw new ModelFailure("MODEL_UNREADABLE", `cannot read the model in ${path}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

export async function run(session: InferenceSession, feeds: Tensors): Promise<Tensors> {
  const ort = await runtime();
  const given: Record<string, OrtTensor> = {};
  for (const [name, tensor] of Object.entries(feeds))
    given[name] =
      tensor.type === "float32"
        ? new ort.Tensor("float32", tensor.data, tensor.shape)
        : new ort.Tensor("int64", tensor.data, tensor.shape);
  return readTensors(await session.run(given));
}

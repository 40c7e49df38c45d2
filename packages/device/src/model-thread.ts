import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { isMainThread, parentPort, workerData, type MessagePort } from "node:worker_threads";
import type { Tensor } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { InferenceSession, OnnxValue, Tensor as OrtTensor } from "onnxruntime-node";
import { ModelFailure } from "./model-error.ts";
import { MODEL_WORKER_ROLE, type ModelAnswer, type ModelRequest, type Tensors } from "./model-messages.ts";

/** One thread an operation: on a small board, spinning helpers would take the processor from the serial port. */
const sessionOptions: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: "sequential",
  graphOptimizationLevel: "all",
  logSeverityLevel: 3,
};

/** In a thread that was started to run models it does so; anywhere else it does nothing. */
export function serveModelsIfWorker(): void {
  if (!isMainThread && parentPort !== null && workerData === MODEL_WORKER_ROLE) serve(parentPort);
}

function serve(port: MessagePort): void {
  const sessions = new Map<number, InferenceSession>();
  let models = 0;
  let last: Promise<void> = Promise.resolve();

  async function answer(request: ModelRequest): Promise<ModelAnswer> {
    const { id } = request;
    switch (request.kind) {
      case "open": {
        const session = await open(request.path, request.sha256);
        const model = ++models;
        sessions.set(model, session);
        const { inputNames, outputNames } = session;
        return { id, kind: "opened", opened: { model, inputNames, outputNames } };
      }
      case "run": {
        const session = sessions.get(request.model);
        if (session === undefined) throw new ModelFailure("MODEL_RUN_FAILED", "the model is closed");
        return { id, kind: "ran", outputs: await run(session, request.feeds) };
      }
      case "close":
        break;
    }
    await sessions.get(request.model)?.release();
    sessions.delete(request.model);
    return { id, kind: "closed" };
  }

  port.on("message", (request: ModelRequest) => {
    last = last.then(async () => {
      try {
        port.postMessage(await answer(request));
      } catch (thrown) {
        const code = thrown instanceof ModelFailure ? thrown.code : "MODEL_RUN_FAILED";
        port.postMessage({ id: request.id, kind: "failed", code, message: messageOf(thrown) });
      }
    });
  });
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
  // Loaded here alone: the component's own thread has no use for the runtime.
  const ort = await import("onnxruntime-node");
  try {
    return await ort.InferenceSession.create(bytes, sessionOptions);
  } catch (cause) {
    throw new ModelFailure("MODEL_UNREADABLE", `cannot read the model in ${path}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

export async function run(session: InferenceSession, feeds: Tensors): Promise<Tensors> {
  const ort = await import("onnxruntime-node");
  const given: Record<string, OrtTensor> = {};
  for (const [name, tensor] of Object.entries(feeds))
    given[name] =
      tensor.type === "float32"
        ? new ort.Tensor("float32", tensor.data, tensor.shape)
        : new ort.Tensor("int64", tensor.data, tensor.shape);
  const outputs = await session.run(given);
  const read: Record<string, Tensor> = {};
  for (const [name, output] of Object.entries(outputs)) read[name] = readTensor(name, output);
  return read;
}

function readTensor(name: string, output: OnnxValue): Tensor {
  const shape = [...output.dims];
  const { data } = output;
  if (data instanceof Float32Array) return { type: "float32", data, shape };
  if (data instanceof BigInt64Array) return { type: "int64", data, shape };
  throw new ModelFailure(
    "MODEL_RUN_FAILED",
    `output ${name} is ${output.type}; export it as float32 or int64`,
  );
}

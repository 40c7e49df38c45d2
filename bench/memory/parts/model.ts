import { isMainThread, Worker, workerData } from "node:worker_threads";
import * as z from "zod";

if (isMainThread) {
  const { idle } = await import("./idle.ts");
  const worker = new Worker(new URL(import.meta.url), { workerData: process.argv[2] });
  worker.once("exit", () => process.exit(1));
  idle();
} else {
  const { InferenceSession } = await import("../../../packages/device/src/onnx-runtime.ts");
  const session = await InferenceSession.create(z.string().parse(workerData), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  globalThis.gc?.();
  setInterval(() => session.inputNames, 3_600_000);
}

/** A process with a model that never returns: says how the run ended, and ends. Its argument is the model's folder. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";
import { systemClock } from "@coalmine/runtime/system-clock";
import { modelWorkers } from "./model-worker.ts";

const folder = process.argv[2] ?? "";
if (isMainThread) {
  const models = modelWorkers(folder, systemClock);
  const sha256 = createHash("sha256")
    .update(readFileSync(join(folder, "model.onnx")))
    .digest("hex");
  const model = await models.open(folder, sha256, { runMsMax: 300 });
  const x = { type: "float32", data: Float32Array.of(1), shape: [1, 1] } as const;
  await model.run({ x }).catch((lost: unknown) => {
    if (lost instanceof Error && "code" in lost) console.log(`${String(lost.code)} ${lost.message}`);
  });
  await models.close();
  process.exit(0);
}

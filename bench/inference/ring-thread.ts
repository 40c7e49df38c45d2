import { workerData } from "node:worker_threads";
import { endings, ModelRing } from "../../packages/device/src/model-ring.ts";
import * as z from "zod";

/** Answers each run after so many milliseconds of work, with nothing: what is left of a model worker without a model. */
const { memory, busyMs } = z
  .object({ memory: z.instanceof(SharedArrayBuffer), busyMs: z.number() })
  .parse(workerData);
const ring = new ModelRing(memory);

while (!ring.isEnding) {
  const { woken } = ring;
  while (ring.answered < ring.asked) {
    const untilMs = performance.now() + busyMs;
    while (performance.now() < untilMs);
    ring.answer(ring.answered, endings.ran);
  }
  if (!ring.isEnding) ring.sleep(woken);
}

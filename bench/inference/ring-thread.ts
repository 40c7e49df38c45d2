import { workerData } from "node:worker_threads";
import { endings, ModelRing } from "../../packages/device/src/model-ring.ts";
import * as z from "zod";

/** Answers each run at once, with nothing: what is left of a model worker without a model. */
const ring = new ModelRing(z.instanceof(SharedArrayBuffer).parse(workerData));

while (!ring.isEnding) {
  const { woken } = ring;
  while (ring.answered < ring.asked) ring.answer(ring.answered, endings.ran);
  if (!ring.isEnding) ring.sleep(woken);
}

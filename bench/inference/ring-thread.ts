import { workerData } from "node:worker_threads";
import { endings, ModelRing } from "../../packages/device/src/model-ring.ts";
import * as z from "zod";
import { bareRun } from "./bare-run.ts";

/** Answers each run after so many milliseconds of work, or after a bare run of a model: what is left of a model worker. */
const { memory, work } = z
  .object({
    memory: z.instanceof(SharedArrayBuffer),
    work: z.union([z.object({ busyMs: z.number() }), z.literal("model")]),
  })
  .parse(workerData);
const ring = new ModelRing(memory);
const run: () => Promise<unknown> = work === "model" ? await bareRun() : () => busy(work.busyMs);

while (!ring.isEnding) {
  const { woken } = ring;
  while (ring.answered < ring.asked) {
    await run();
    ring.answer(ring.answered, endings.ran);
  }
  if (!ring.isEnding) ring.sleep(woken);
}

function busy(busyMs: number): Promise<void> {
  const untilMs = performance.now() + busyMs;
  while (performance.now() < untilMs);
  return Promise.resolve();
}

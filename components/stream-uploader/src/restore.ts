import type { Cursor, DurableLog } from "@coalmine/durable-log";
import type { Crypto, Files, Log } from "@coalmine/ports";
import { decodePoints } from "./batch-record.ts";
import { loadCheckpoint } from "./checkpoint.ts";
import type { Config } from "./config.ts";
import { SeenPoints } from "./seen-points.ts";
import { UploadPlan } from "./upload-plan.ts";

/** What was known when the component ended, from the checkpoint and the log behind it. */
export async function restore(parts: {
  readonly files: Files;
  readonly crypto: Crypto;
  readonly log: Log;
  readonly store: DurableLog;
  readonly cursor: Cursor;
  readonly config: Config;
}): Promise<{ seen: SeenPoints; plan: UploadPlan }> {
  const { files, crypto, log, store, cursor, config } = parts;
  const checkpoint = await loadCheckpoint(files, crypto, store.epoch);
  if (checkpoint === undefined && store.first > 1)
    log.warn("the checkpoint is lost: a point that was uploaded and comes again would be stored twice");
  const seen = SeenPoints.fromNumbers(checkpoint?.seen ?? []);
  const plan = new UploadPlan(checkpoint?.edges, checkpoint?.open);
  plan.pass(cursor.done);
  const from = Math.max((checkpoint?.through ?? 0) + 1, store.first);
  for await (const chunk of store.read(from))
    for (const record of chunk.records) {
      const points = decodePoints(record.payload);
      const channels = seen.of(points.instrument, points.boot);
      for (let at = 0; at < points.sequence.length; at++)
        channels.add(points.kinds[points.kind[at] ?? 0]?.channel ?? "", points.sequence[at] ?? 0);
      if (record.sequence <= cursor.done) continue;
      const { sequence: last, timeMs: sinceMs, payload } = record;
      plan.add({ last, points: points.sequence.length, bytes: payload.length, sinceMs }, config);
    }
  return { seen, plan };
}

import { parentPort, workerData } from "node:worker_threads";
import { silentLog } from "@coalmine/runtime";
import * as z from "zod";
import { evidenceLine, evidenceRecord } from "../../pipeline/evidence/evidence-lake.ts";
import { evidenceItem, type EvidenceItem } from "../../pipeline/evidence/evidence-store.ts";
import { cloudWitness, heartbeatHandler } from "../../pipeline/evidence/handlers.ts";
import type { EvidenceRow } from "../../pipeline/evidence/row.ts";

/**
 * Makes rows of a driven region's messages in a thread: a batch of messages comes, the rows go back, as DynamoDB's calls
 * take them and as Firehose's does.
 */
const Heard = z.object({ topic: z.string(), payload: z.instanceof(Uint8Array), at: z.number() });
export type Heard = z.infer<typeof Heard>;

const target = z.string().parse(workerData);
export interface Made {
  readonly items: readonly EvidenceItem[];
  readonly record: ReturnType<typeof evidenceRecord>;
}
let items: EvidenceItem[] = [];
let lines: string[] = [];
const put = (row: EvidenceRow): Promise<void> => {
  items.push(evidenceItem(target, row));
  lines.push(evidenceLine(target, row));
  return Promise.resolve();
};
const heard = heartbeatHandler(put, silentLog);
const seen = cloudWitness(put);

async function take(batch: readonly Heard[]): Promise<void> {
  for (const { topic, payload, at } of batch) {
    await heard(topic, payload, at);
    await seen({ kind: "mqtt-message", topic, payload, at });
  }
  parentPort?.postMessage({ items, record: evidenceRecord(lines) } satisfies Made, []);
  items = [];
  lines = [];
}

parentPort?.on("message", (message) => void take(z.array(Heard).parse(message)));

import type { Log } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import { evidenceLine, evidenceRecord } from "../../pipeline/evidence/evidence-lake.ts";
import { evidenceItem, EVIDENCE_TABLE, type EvidenceItem } from "../../pipeline/evidence/evidence-store.ts";
import { cloudWitness, heartbeatHandler, type PutRow } from "../../pipeline/evidence/handlers.ts";
import type { Cloud } from "../../simulator/cloud/cloud.ts";
import type { LocalIot } from "../../simulator/cloud/iot-parts.ts";

/**
 * Hands the pipeline's handlers to a local cloud, as IoT rules hand messages to Lambda on AWS: heartbeats, and what the
 * cloud itself sees of devices, become rows in its DynamoDB and its lake. Gives the handler of published messages.
 */
export function recordEvidence(
  cloud: Cloud<LocalIot>,
  target: string,
  log: Log,
): (topic: string, payload: Uint8Array, at: number) => void {
  const put = putInto(cloud, target);
  const heard = heartbeatHandler(put, log);
  const seen = cloudWitness(put);
  recordWitnessed(cloud, target, log);
  return (topic, payload, at) => {
    keep(heard(topic, payload, at), target, log);
    keep(seen({ kind: "mqtt-message", topic, payload, at }), target, log);
  };
}

/** Rows of what the cloud itself sees, beside messages: connections and job executions. The lake takes them from `isReady` on. */
export function recordWitnessed(
  cloud: Cloud<LocalIot>,
  target: string,
  log: Log,
  isReady: Promise<void> = Promise.resolve(),
): void {
  const seen = cloudWitness(putInto(cloud, target, isReady));
  cloud.events.on((event) => {
    if (event.kind === "mqtt-connection" || event.kind === "job-execution") keep(seen(event), target, log);
  });
}

function putInto(cloud: Cloud<LocalIot>, target: string, isReady = Promise.resolve()): PutRow {
  return async (row) => {
    await putItem(cloud, evidenceItem(target, row));
    await isReady;
    await cloud.invoke("firehose", "PutRecord", evidenceRecord([evidenceLine(target, row)]));
  };
}

export async function putItem(cloud: Cloud<LocalIot>, Item: EvidenceItem): Promise<void> {
  await cloud.invoke("dynamodb", "PutItem", { TableName: EVIDENCE_TABLE, Item });
}

function keep(writing: Promise<void>, target: string, log: Log): void {
  writing.catch((failure: unknown) =>
    log.warn("a row of evidence was not kept", { target, reason: messageOf(failure) }),
  );
}

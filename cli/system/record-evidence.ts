import type { Log } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import { evidenceItem, EVIDENCE_TABLE } from "../../pipeline/evidence/evidence-store.ts";
import { cloudWitness, heartbeatHandler } from "../../pipeline/evidence/handlers.ts";
import type { EvidenceRow } from "../../pipeline/evidence/row.ts";
import type { Cloud } from "../../simulator/cloud/cloud.ts";
import type { LocalIot } from "../../simulator/cloud/iot-parts.ts";

/**
 * Hands the pipeline's handlers to a local cloud, as IoT rules hand messages to Lambda on AWS: heartbeats, and what the
 * cloud itself sees of devices, become rows in its DynamoDB. Gives the handler of published messages.
 */
export function recordEvidence(
  cloud: Cloud<LocalIot>,
  target: string,
  log: Log,
): (topic: string, payload: Uint8Array, at: number) => void {
  const put = async (row: EvidenceRow): Promise<void> => {
    await cloud.invoke("dynamodb", "PutItem", { TableName: EVIDENCE_TABLE, Item: evidenceItem(target, row) });
  };
  const heard = heartbeatHandler(put, log);
  const seen = cloudWitness(put);
  const kept = (writing: Promise<void>): void => {
    writing.catch((failure: unknown) =>
      log.warn("a row of evidence was not kept", { target, reason: messageOf(failure) }),
    );
  };
  cloud.events.on((event) => {
    if (event.kind === "mqtt-connection" || event.kind === "job-execution") kept(seen(event));
  });
  return (topic, payload, at) => {
    kept(heard(topic, payload, at));
    kept(seen({ kind: "mqtt-message", topic, payload, at }));
  };
}

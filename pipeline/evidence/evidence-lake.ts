import { PutRecordCommand, type FirehoseClient } from "@aws-sdk/client-firehose";
import type { EvidenceRow } from "./row.ts";

/** The delivery stream that takes evidence into the lake, where it outlives its rows in DynamoDB. */
export const EVIDENCE_STREAM = "coalmine-evidence";

/** What a line holds: by whom, of whom and when for questions, and the row as it is for whoever judges again. */
export const evidenceColumns = [
  { name: "target", type: "STRING" },
  { name: "source", type: "STRING" },
  { name: "thing", type: "STRING" },
  { name: "at_ms", type: "INT64" },
  { name: "row_json", type: "STRING" },
] as const;

/**
 * A row as a line of JSON. DynamoDB's row of a minute is replaced by the next one of that minute; the lake keeps both,
 * and may keep one twice where a delivery was repeated: target, source, thing and time tell.
 */
export function evidenceLine(target: string, row: EvidenceRow): string {
  const { source, thing, atMs } = row;
  return `${JSON.stringify({ target, source, thing, at_ms: Math.round(atMs), row_json: JSON.stringify(row) })}\n`;
}

/** Hands rows to the lake's delivery stream. */
export class EvidenceLake {
  readonly #firehose: FirehoseClient;
  readonly #target: string;

  constructor(firehose: FirehoseClient, target: string) {
    this.#firehose = firehose;
    this.#target = target;
  }

  async put(row: EvidenceRow): Promise<void> {
    await this.#firehose.send(new PutRecordCommand(evidenceRecord([evidenceLine(this.#target, row)])));
  }
}

/** Lines as a call of Firehose has them, for whoever has another way there than its client: a record takes several. */
export function evidenceRecord(lines: readonly string[]) {
  return { DeliveryStreamName: EVIDENCE_STREAM, Record: { Data: new TextEncoder().encode(lines.join("")) } };
}

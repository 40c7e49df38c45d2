import { PutItemCommand, paginateQuery, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Clock } from "@coalmine/ports";
import { CoalmineError } from "@coalmine/runtime";
import { EvidenceRow } from "./row.ts";
import { ensureTable } from "./table.ts";

export const EVIDENCE_TABLE = "coalmine-evidence";
export const MINUTE_MS = 60_000;
/** A week of pre-period, and a rollout's longest wait for a person. */
const KEPT_MS = 15 * 24 * 3_600_000;

export class EvidenceError extends CoalmineError {
  readonly code = "ERR_EVIDENCE_UNREADABLE";
}

/** Rows by target and minute: one a device, minute and source; what comes again within the minute takes its place. */
export class EvidenceStore {
  readonly #dynamodb: DynamoDBClient;
  readonly #target: string;

  constructor(dynamodb: DynamoDBClient, target: string) {
    this.#dynamodb = dynamodb;
    this.#target = target;
  }

  ensure(clock: Clock): Promise<void> {
    return ensureTable(
      this.#dynamodb,
      {
        name: EVIDENCE_TABLE,
        hash: "minute",
        range: { name: "thing", type: "S" },
        expires: "expires",
      },
      clock,
    );
  }

  async put(row: EvidenceRow): Promise<void> {
    await this.#dynamodb.send(
      new PutItemCommand({ TableName: EVIDENCE_TABLE, Item: evidenceItem(this.#target, row) }),
    );
  }

  /** All rows of one minute since 1970, in order of time; only those after `afterMs` where that is given. */
  async minute(minute: number, afterMs?: number): Promise<EvidenceRow[]> {
    const rows: EvidenceRow[] = [];
    const pages = paginateQuery(
      { client: this.#dynamodb },
      {
        TableName: EVIDENCE_TABLE,
        KeyConditionExpression: "#minute = :minute",
        ExpressionAttributeNames: {
          "#minute": "minute",
          "#row": "row",
          ...(afterMs === undefined ? {} : { "#at": "at" }),
        },
        ExpressionAttributeValues: {
          ":minute": { S: this.#key(minute) },
          ...(afterMs === undefined ? {} : { ":after": { N: String(afterMs) } }),
        },
        ...(afterMs === undefined ? {} : { FilterExpression: "#at > :after" }),
        ProjectionExpression: "#row",
      },
    );
    for await (const { Items = [] } of pages)
      for (const item of Items) rows.push(this.#read(item["row"]?.S ?? "", minute));
    return rows.sort((a, b) => a.atMs - b.atMs);
  }

  #read(text: string, minute: number): EvidenceRow {
    try {
      return EvidenceRow.parse(JSON.parse(text));
    } catch (failure) {
      throw new EvidenceError(
        `a row of minute ${this.#key(minute)} in ${EVIDENCE_TABLE} is not one: ${text.slice(0, 100)}; whoever wrote it must be found, then delete it`,
        { cause: failure },
      );
    }
  }

  #key(minute: number): string {
    return minuteKey(this.#target, minute);
  }
}

export type EvidenceItem = ReturnType<typeof evidenceItem>;

/** A row as the table has it, for whoever has another way to DynamoDB than its client. */
export function evidenceItem(target: string, row: EvidenceRow) {
  const source = row.source === "heartbeat" ? row.thing : `${row.thing}#${row.source}`;
  return {
    minute: { S: minuteKey(target, Math.floor(row.atMs / MINUTE_MS)) },
    thing: { S: source },
    source: { S: row.source },
    at: { N: String(row.atMs) },
    expires: { N: String(Math.ceil((row.atMs + KEPT_MS) / 1000)) },
    row: { S: JSON.stringify(row) },
  };
}

function minuteKey(target: string, minute: number): string {
  return `${target}#${new Date(minute * MINUTE_MS).toISOString().slice(0, 16)}Z`;
}

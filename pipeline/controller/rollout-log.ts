import {
  ConditionalCheckFailedException,
  GetItemCommand,
  paginateQuery,
  PutItemCommand,
  QueryCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
  type AttributeValue,
  type DynamoDBClient,
} from "@aws-sdk/client-dynamodb";
import type { Clock } from "@coalmine/ports";
import { CoalmineError } from "@coalmine/runtime";
import { ensureTable } from "../evidence/table.ts";
import { NO_PREVIOUS, storedEntry, type RolloutRecord, type StoredEntry } from "./audit.ts";

export const ROLLOUTS_TABLE = "coalmine-rollouts";
/** The partition that lists all rollouts by when they began. No rollout is called so. */
const INDEX = "#index";
const LISTED_MAX = 100;
/** Two rollouts of one millisecond: the later one is listed one later. */
const CREATE_ATTEMPTS_MAX = 5;

/** Somebody else has written meanwhile: read again, and think again. */
export class AppendConflict extends CoalmineError {
  readonly code = "ERR_ROLLOUT_CONFLICT";
}

export interface ListedRollout {
  readonly rollout: string;
  readonly commit: string;
  readonly startedMs: number;
}

/** The events of all rollouts, appended one by one in the home region: the state of rollouts, and the audit log. */
export class RolloutLog {
  readonly #dynamodb: DynamoDBClient;
  readonly #clock: Clock;

  constructor(dynamodb: DynamoDBClient, clock: Clock) {
    this.#dynamodb = dynamodb;
    this.#clock = clock;
  }

  ensure(): Promise<void> {
    return ensureTable(
      this.#dynamodb,
      { name: ROLLOUTS_TABLE, hash: "rollout", range: { name: "sequence", type: "N" } },
      this.#clock,
    );
  }

  /** A new rollout with its first event; both are there, or none. @throws AppendConflict where it exists. */
  async create(rollout: string, commit: string, record: RolloutRecord): Promise<StoredEntry> {
    const startedMs = Math.round(this.#clock.now());
    const entry = storedEntry({ rollout, sequence: 0, previous: NO_PREVIOUS, atMs: startedMs, record });
    for (let attempt = 0; attempt < CREATE_ATTEMPTS_MAX; attempt++) {
      const listed = {
        rollout: { S: INDEX },
        sequence: { N: String(startedMs + attempt) },
        id: { S: rollout },
        commit: { S: commit },
      };
      try {
        await this.#dynamodb.send(
          new TransactWriteItemsCommand({
            TransactItems: [itemOf(entry), listed].map((Item) => ({
              Put: { TableName: ROLLOUTS_TABLE, Item, ConditionExpression: "attribute_not_exists(rollout)" },
            })),
          }),
        );
        return entry;
      } catch (failure) {
        if (!(failure instanceof TransactionCanceledException)) throw failure;
        if (failure.CancellationReasons?.[0]?.Code !== "None") break;
      }
    }
    throw new AppendConflict(`rollout ${rollout} has been begun by another controller; read it again`);
  }

  /** The event after `last`. @throws AppendConflict where another one took that place. */
  async append(last: StoredEntry, record: RolloutRecord): Promise<StoredEntry> {
    const entry = storedEntry({
      rollout: last.rollout,
      sequence: last.sequence + 1,
      previous: last.sha256,
      atMs: Math.round(this.#clock.now()),
      record,
    });
    try {
      await this.#dynamodb.send(
        new PutItemCommand({
          TableName: ROLLOUTS_TABLE,
          Item: itemOf(entry),
          ConditionExpression: "attribute_not_exists(rollout)",
        }),
      );
      return entry;
    } catch (failure) {
      if (failure instanceof ConditionalCheckFailedException)
        throw new AppendConflict(
          `event ${entry.sequence} of ${last.rollout} has been written by somebody else; read the rollout again`,
          { cause: failure },
        );
      throw failure;
    }
  }

  /** The event that a rollout began with. */
  async first(rollout: string): Promise<StoredEntry | undefined> {
    const { Item } = await this.#dynamodb.send(
      new GetItemCommand({
        TableName: ROLLOUTS_TABLE,
        Key: { rollout: { S: rollout }, sequence: { N: "0" } },
        ConsistentRead: true,
      }),
    );
    return Item === undefined ? undefined : entryOf(Item);
  }

  /** The event that was written last. */
  async last(rollout: string): Promise<StoredEntry | undefined> {
    const item = await this.#newest(rollout);
    return item === undefined ? undefined : entryOf(item);
  }

  /** Events in order, from a sequence on. */
  async entries(rollout: string, from = 0): Promise<StoredEntry[]> {
    const entries: StoredEntry[] = [];
    const pages = paginateQuery(
      { client: this.#dynamodb },
      {
        TableName: ROLLOUTS_TABLE,
        ConsistentRead: true,
        KeyConditionExpression: "#rollout = :rollout AND #sequence >= :from",
        ExpressionAttributeNames: { "#rollout": "rollout", "#sequence": "sequence" },
        ExpressionAttributeValues: { ":rollout": { S: rollout }, ":from": { N: String(from) } },
      },
    );
    for await (const { Items = [] } of pages) entries.push(...Items.map(entryOf));
    return entries;
  }

  /** Newest first. */
  async list(limit = LISTED_MAX): Promise<ListedRollout[]> {
    const { Items = [] } = await this.#dynamodb.send(
      new QueryCommand({
        TableName: ROLLOUTS_TABLE,
        ConsistentRead: true,
        KeyConditionExpression: "#rollout = :index",
        ExpressionAttributeNames: { "#rollout": "rollout" },
        ExpressionAttributeValues: { ":index": { S: INDEX } },
        ScanIndexForward: false,
        Limit: Math.min(limit, LISTED_MAX),
      }),
    );
    return Items.map((item) => ({
      rollout: item["id"]?.S ?? "",
      commit: item["commit"]?.S ?? "",
      startedMs: Number(item["sequence"]?.N),
    }));
  }

  /**
   * The secret seed of a rollout's draw in a target: the first that is offered stays. It lies apart from the events,
   * which hold only its hash until the draw.
   */
  seed(rollout: string, targetIndex: number, offered: string): Promise<string> {
    return this.#keep(`#seed#${rollout}`, targetIndex, "seed", offered);
  }

  /** A note beside the events, of that name: the first that is offered stays. */
  note(name: string, offered: string): Promise<string> {
    return this.#keep(`#note#${name}`, 0, "note", offered);
  }

  /** A further note of that name, from that time on; of two at the same time the first that is offered stays. */
  addNote(name: string, atMs: number, offered: string): Promise<string> {
    return this.#keep(`#note#${name}`, atMs, "note", offered);
  }

  async newestNote(name: string): Promise<string | undefined> {
    return (await this.#newest(`#note#${name}`))?.["note"]?.S;
  }

  async noted(name: string): Promise<string | undefined> {
    return this.#kept(`#note#${name}`, 0, "note");
  }

  async #newest(rollout: string): Promise<Record<string, AttributeValue> | undefined> {
    const { Items = [] } = await this.#dynamodb.send(
      new QueryCommand({
        TableName: ROLLOUTS_TABLE,
        ConsistentRead: true,
        KeyConditionExpression: "#rollout = :rollout",
        ExpressionAttributeNames: { "#rollout": "rollout" },
        ExpressionAttributeValues: { ":rollout": { S: rollout } },
        ScanIndexForward: false,
        Limit: 1,
      }),
    );
    return Items[0];
  }

  async #keep(rollout: string, sequence: number, attribute: string, offered: string): Promise<string> {
    try {
      await this.#dynamodb.send(
        new PutItemCommand({
          TableName: ROLLOUTS_TABLE,
          Item: { rollout: { S: rollout }, sequence: { N: String(sequence) }, [attribute]: { S: offered } },
          ConditionExpression: "attribute_not_exists(rollout)",
        }),
      );
      return offered;
    } catch (failure) {
      if (!(failure instanceof ConditionalCheckFailedException)) throw failure;
    }
    return (await this.#kept(rollout, sequence, attribute)) ?? "";
  }

  async #kept(rollout: string, sequence: number, attribute: string): Promise<string | undefined> {
    const { Item } = await this.#dynamodb.send(
      new GetItemCommand({
        TableName: ROLLOUTS_TABLE,
        Key: { rollout: { S: rollout }, sequence: { N: String(sequence) } },
        ConsistentRead: true,
      }),
    );
    return Item?.[attribute]?.S;
  }
}

function entryOf(item: Record<string, AttributeValue>): StoredEntry {
  return {
    rollout: item["rollout"]?.S ?? "",
    sequence: Number(item["sequence"]?.N),
    text: item["entry"]?.S ?? "",
    sha256: item["sha256"]?.S ?? "",
  };
}

function itemOf(entry: StoredEntry): Record<string, AttributeValue> {
  return {
    rollout: { S: entry.rollout },
    sequence: { N: String(entry.sequence) },
    entry: { S: entry.text },
    sha256: { S: entry.sha256 },
  };
}

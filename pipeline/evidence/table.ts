import {
  CreateTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  ResourceInUseException,
  ResourceNotFoundException,
  UpdateTimeToLiveCommand,
  type DynamoDBClient,
} from "@aws-sdk/client-dynamodb";
import type { Clock } from "@coalmine/ports";
import { CoalmineError } from "@coalmine/runtime";

const ACTIVE_WAIT_MS_MAX = 60_000;
const ACTIVE_POLL_MS = 500;

export interface TableSpec {
  readonly name: string;
  readonly hash: string;
  readonly range: { readonly name: string; readonly type: "S" | "N" };
  /** The attribute that holds the second after which an item may go. */
  readonly expires?: string;
}

export class TableError extends CoalmineError {
  readonly code = "ERR_TABLE_NOT_READY";
}

/** Creates the table where it is missing, and waits until it can be used. May be repeated. */
export async function ensureTable(dynamodb: DynamoDBClient, spec: TableSpec, clock: Clock): Promise<void> {
  if (!(await isThere(dynamodb, spec.name))) await create(dynamodb, spec);
  const deadline = clock.monotonicMs() + ACTIVE_WAIT_MS_MAX;
  for (;;) {
    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: spec.name }));
    if (Table?.TableStatus === "ACTIVE") break;
    if (clock.monotonicMs() > deadline)
      throw new TableError(
        `the table ${spec.name} is still ${Table?.TableStatus ?? "unknown"} after ${ACTIVE_WAIT_MS_MAX / 1000} s; look at it in the region's console`,
      );
    await clock.sleep(ACTIVE_POLL_MS);
  }
  if (spec.expires === undefined) return;
  const { TimeToLiveDescription } = await dynamodb.send(
    new DescribeTimeToLiveCommand({ TableName: spec.name }),
  );
  if (TimeToLiveDescription?.TimeToLiveStatus !== "DISABLED") return;
  await dynamodb.send(
    new UpdateTimeToLiveCommand({
      TableName: spec.name,
      TimeToLiveSpecification: { Enabled: true, AttributeName: spec.expires },
    }),
  );
}

/** Asked first, so that whoever has only to use a table need not be allowed to make one. */
async function isThere(dynamodb: DynamoDBClient, TableName: string): Promise<boolean> {
  try {
    await dynamodb.send(new DescribeTableCommand({ TableName }));
    return true;
  } catch (failure) {
    if (failure instanceof ResourceNotFoundException) return false;
    throw failure;
  }
}

async function create(dynamodb: DynamoDBClient, spec: TableSpec): Promise<void> {
  try {
    await dynamodb.send(
      new CreateTableCommand({
        TableName: spec.name,
        BillingMode: "PAY_PER_REQUEST",
        KeySchema: [
          { AttributeName: spec.hash, KeyType: "HASH" },
          { AttributeName: spec.range.name, KeyType: "RANGE" },
        ],
        AttributeDefinitions: [
          { AttributeName: spec.hash, AttributeType: "S" },
          { AttributeName: spec.range.name, AttributeType: spec.range.type },
        ],
      }),
    );
  } catch (failure) {
    if (!(failure instanceof ResourceInUseException)) throw failure;
  }
}

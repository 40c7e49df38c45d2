import type { Clock, Random } from "@coalmine/ports";
import { ServiceError, type Input, type Output, type Place, type Service } from "../service.ts";
import type { Store, Table } from "../store/store.ts";
import { uuid } from "../uuid.ts";
import { readItem, writeItem, type Item } from "./attribute-value.ts";
import { invalid } from "./invalid.ts";
import { conditionOf, placeholdersOf, wantsOldOnFailure } from "./expression-input.ts";
import { projection, query, scan } from "./query.ts";
import { ItemTable, type TableDescription } from "./table.ts";
import { transactWrite } from "./transaction.ts";
import { readUpdate } from "./update-expression.ts";

const BATCH_WRITES_MAX = 25;
const BATCH_GETS_MAX = 100;

/** DynamoDB: tables with a hash and a range key, expressions, pages, expiry. No secondary indexes. */
export class DynamoDbService implements Service {
  readonly signingName = "dynamodb";
  readonly operations: Service["operations"];
  readonly #descriptions: Table<TableDescription>;
  readonly #tables = new Map<string, ItemTable>();
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #place: Place;

  constructor(options: {
    readonly store: Store;
    readonly clock: Clock;
    readonly random: Random;
    readonly place: Place;
  }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#place = options.place;
    this.#descriptions = options.store.table("dynamodb/tables");
    for (const [name, description] of this.#descriptions.entries())
      this.#tables.set(name, new ItemTable(this.#store, description, this.#clock));
    this.operations = {
      CreateTable: (input) => this.#createTable(input),
      DescribeTable: (input) => ({ Table: this.#describe(this.table(input.TableName)) }),
      DeleteTable: (input) => {
        const table = this.table(input.TableName);
        table.clear();
        this.#tables.delete(table.description.name);
        this.#descriptions.delete(table.description.name);
        return { TableDescription: { ...this.#describe(table), TableStatus: "DELETING" } };
      },
      ListTables: () => ({ TableNames: [...this.#descriptions.entries()].map(([name]) => name) }),
      UpdateTimeToLive: (input) => this.#updateTimeToLive(input),
      DescribeTimeToLive: (input) => {
        const { ttlAttribute } = this.table(input.TableName).description;
        return {
          TimeToLiveDescription:
            ttlAttribute === undefined
              ? { TimeToLiveStatus: "DISABLED" }
              : { TimeToLiveStatus: "ENABLED", AttributeName: ttlAttribute },
        };
      },
      GetItem: (input) => {
        const table = this.table(input.TableName);
        const item = table.get(table.keyOf(readItem(input.Key), false));
        return item === undefined ? {} : { Item: writeItem(projection(input, placeholdersOf(input))(item)) };
      },
      PutItem: (input) => this.#put(input),
      DeleteItem: (input) => this.#delete(input),
      UpdateItem: (input) => this.#update(input),
      Query: (input) => query(this.table(input.TableName), input, placeholdersOf(input)),
      Scan: (input) => scan(this.table(input.TableName), input, placeholdersOf(input)),
      BatchWriteItem: (input) => this.#batchWrite(input),
      BatchGetItem: (input) => this.#batchGet(input),
      TransactWriteItems: (input) => transactWrite((name) => this.table(name), input.TransactItems ?? []),
    };
  }

  table(name: unknown): ItemTable {
    const table = this.#tables.get(String(name));
    if (table === undefined)
      throw new ServiceError("ResourceNotFoundException", 400, "Requested resource not found");
    return table;
  }

  #createTable(input: Input): Output {
    const name = String(input.TableName);
    if (!/^[a-zA-Z0-9_.-]{3,255}$/.test(name))
      throw invalid("TableName must be at least 3 characters long and at most 255 characters long");
    if (this.#tables.has(name))
      throw new ServiceError("ResourceInUseException", 400, `Table already exists: ${name}`);
    if ((input.GlobalSecondaryIndexes ?? input.LocalSecondaryIndexes ?? []).length > 0)
      throw invalid("Secondary indexes are not simulated.");
    const keys: Input[] = input.KeySchema ?? [];
    const hashKey = keys.find((key) => key.KeyType === "HASH")?.AttributeName;
    const rangeKey = keys.find((key) => key.KeyType === "RANGE")?.AttributeName;
    const defined: Input[] = input.AttributeDefinitions ?? [];
    const keyTypes = Object.fromEntries(defined.map((one) => [one.AttributeName, one.AttributeType]));
    if (
      hashKey === undefined ||
      keys.length !== defined.length ||
      keys.some((key) => keyTypes[key.AttributeName] === undefined)
    )
      throw invalid(
        "One or more parameter values were invalid: the key schema and the attribute definitions do not name the same attributes",
      );
    const description: TableDescription = {
      name,
      arn: `arn:aws:dynamodb:${this.#place.region}:${this.#place.accountId}:table/${name}`,
      id: uuid(this.#random),
      createdAt: this.#clock.now(),
      hashKey,
      ...(rangeKey === undefined ? {} : { rangeKey }),
      keyTypes,
      billingMode: input.BillingMode ?? "PROVISIONED",
    };
    this.#descriptions.set(name, description);
    const table = new ItemTable(this.#store, description, this.#clock);
    this.#tables.set(name, table);
    return { TableDescription: this.#describe(table) };
  }

  #describe(table: ItemTable): object {
    const { description } = table;
    return {
      TableName: description.name,
      TableArn: description.arn,
      TableId: description.id,
      TableStatus: "ACTIVE",
      CreationDateTime: description.createdAt,
      KeySchema: [
        { AttributeName: description.hashKey, KeyType: "HASH" },
        ...(description.rangeKey === undefined
          ? []
          : [{ AttributeName: description.rangeKey, KeyType: "RANGE" }]),
      ],
      AttributeDefinitions: Object.entries(description.keyTypes).map(([AttributeName, AttributeType]) => ({
        AttributeName,
        AttributeType,
      })),
      BillingModeSummary: { BillingMode: description.billingMode },
      ItemCount: table.count,
      TableSizeBytes: 0,
    };
  }

  #updateTimeToLive(input: Input): Output {
    const { description } = this.table(input.TableName);
    const { Enabled, AttributeName } = input.TimeToLiveSpecification;
    if (Enabled === true && description.ttlAttribute !== undefined)
      throw invalid("TimeToLive is already enabled");
    const { ttlAttribute: _, ...rest } = description;
    const changed: TableDescription =
      Enabled === true ? { ...rest, ttlAttribute: String(AttributeName) } : rest;
    this.#descriptions.set(description.name, changed);
    this.#tables.set(description.name, new ItemTable(this.#store, changed, this.#clock));
    return { TimeToLiveSpecification: { Enabled, AttributeName } };
  }

  #put(input: Input): Output {
    const table = this.table(input.TableName);
    const item = table.checked(readItem(input.Item));
    const key = table.keyOf(item, true);
    table.check(key, conditionOf(input), wantsOldOnFailure(input));
    const old = table.get(key);
    table.set(key, item);
    return returned(input.ReturnValues, old, item);
  }

  #delete(input: Input): Output {
    const table = this.table(input.TableName);
    const key = table.keyOf(readItem(input.Key), false);
    table.check(key, conditionOf(input), wantsOldOnFailure(input));
    const old = table.get(key);
    table.delete(key);
    return returned(input.ReturnValues, old, undefined);
  }

  #update(input: Input): Output {
    const table = this.table(input.TableName);
    const key = readItem(input.Key);
    const row = table.keyOf(key, false);
    // What is wrong with the call is said before the item is looked at.
    const update = readUpdate(String(input.UpdateExpression ?? ""), placeholdersOf(input), key);
    table.check(row, conditionOf(input), wantsOldOnFailure(input));
    const old = table.get(row);
    const item = table.checked(update.apply(old ?? key));
    table.set(row, item);
    if (input.ReturnValues === "UPDATED_NEW") return { Attributes: writeItem(update.touched(item)) };
    if (input.ReturnValues === "UPDATED_OLD")
      return old === undefined ? {} : { Attributes: writeItem(update.touched(old)) };
    return returned(input.ReturnValues, old, item);
  }

  #batchWrite(input: Input): Output {
    const requests = Object.entries<Input[]>(input.RequestItems ?? {});
    const count = requests.reduce((sum, [, writes]) => sum + writes.length, 0);
    if (count === 0 || count > BATCH_WRITES_MAX)
      throw invalid(`Too many items requested for the BatchWriteItem call: from 1 to ${BATCH_WRITES_MAX}`);
    const writes = requests.flatMap(([name, list]) => {
      const table = this.table(name);
      return list.map((request) => {
        const item = request.PutRequest && table.checked(readItem(request.PutRequest.Item));
        const key = table.keyOf(item ?? readItem(request.DeleteRequest?.Key), item !== undefined);
        return { table, name, item, key };
      });
    });
    if (new Set(writes.map(({ name, key }) => `${name}\n${key}`)).size !== writes.length)
      throw invalid("Provided list of item keys contains duplicates");
    for (const { table, item, key } of writes)
      if (item === undefined) table.delete(key);
      else table.set(key, item);
    return { UnprocessedItems: {} };
  }

  #batchGet(input: Input): Output {
    const requests = Object.entries<Input>(input.RequestItems ?? {});
    if (requests.reduce((sum, [, { Keys }]) => sum + Keys.length, 0) > BATCH_GETS_MAX)
      throw invalid(`Too many items requested for the BatchGetItem call: at most ${BATCH_GETS_MAX}`);
    return {
      Responses: Object.fromEntries(
        requests.map(([name, request]) => {
          const table = this.table(name);
          const project = projection(request, placeholdersOf(request));
          const keys: Input[] = request.Keys;
          return [
            name,
            keys.flatMap((key) => {
              const item = table.get(table.keyOf(readItem(key), false));
              return item === undefined ? [] : [writeItem(project(item))];
            }),
          ];
        }),
      ),
      UnprocessedKeys: {},
    };
  }
}

function returned(kind: unknown, old: Item | undefined, now: Item | undefined): Output {
  const item = kind === "ALL_OLD" ? old : kind === "ALL_NEW" ? now : undefined;
  return item === undefined ? {} : { Attributes: writeItem(item) };
}

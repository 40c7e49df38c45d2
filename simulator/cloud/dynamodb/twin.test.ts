import { once } from "node:events";
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
  type AttributeValue,
} from "@aws-sdk/client-dynamodb";
import { Closing } from "@coalmine/runtime";
import dynalite from "dynalite";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestCloud } from "../protocol/test-cloud.ts";

/** What this service says, and what an independent DynamoDB says, of the same calls. */
const TableName = "twins";
const closing = new Closing();
const twins: DynamoDBClient[] = [];
beforeAll(async () => {
  const cloud = closing.add(await startTestCloud(), (started) => started.close());
  const other = closing.add(dynalite({ createTableMs: 0 }), (server) => void server.close());
  other.listen(0, "127.0.0.1");
  await once(other, "listening");
  const address = other.address();
  if (address === null || typeof address === "string") throw new Error("dynalite has no port");
  for (const endpoint of [cloud.endpoint, `http://127.0.0.1:${address.port}`]) {
    const client = closing.add(new DynamoDBClient({ ...cloud.client, endpoint }), (one) => one.destroy());
    twins.push(client);
    await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: "PAY_PER_REQUEST",
        KeySchema: [
          { AttributeName: "pk", KeyType: "HASH" },
          { AttributeName: "sk", KeyType: "RANGE" },
        ],
        AttributeDefinitions: [
          { AttributeName: "pk", AttributeType: "S" },
          { AttributeName: "sk", AttributeType: "N" },
        ],
      }),
    );
    for (let isActive = false; !isActive;)
      isActive = (await client.send(new DescribeTableCommand({ TableName }))).Table?.TableStatus === "ACTIVE";
  }
});
afterAll(() => closing.close());

type Command =
  | PutItemCommand
  | GetItemCommand
  | DeleteItemCommand
  | UpdateItemCommand
  | QueryCommand
  | ScanCommand
  | BatchWriteItemCommand
  | BatchGetItemCommand;

/** The answer without what is this call's alone, or the name of the refusal. */
async function said(client: DynamoDBClient, command: Command): Promise<unknown> {
  try {
    const { $metadata: _, ...answer } = await client.send(command as PutItemCommand);
    return inOrder(answer);
  } catch (failure) {
    return failure instanceof Error ? failure.name : failure;
  }
}

/** A map, a set, and what a scan or a batch gives, have no order. */
function inOrder(value: unknown, name = ""): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (!Array.isArray(value))
    return Object.fromEntries(
      Object.entries(value)
        .map(([key, one]) => [key, inOrder(one, key)] as const)
        .toSorted(([one], [other]) => (one < other ? -1 : 1)),
    );
  const items = value.map((one) => inOrder(one));
  return ["SS", "NS", "Items", TableName].includes(name)
    ? items.map((one) => JSON.stringify(one)).toSorted()
    : items;
}

async function bothSay(command: () => Command): Promise<unknown> {
  const [here, there] = await Promise.all(twins.map((client) => said(client, command())));
  expect(here, JSON.stringify(command().input)).toEqual(there);
  return here;
}

const pk = fc.constantFrom("a", "b");
const sk = fc.integer({ min: -2, max: 3 });
const Key = fc.record({ pk, sk }).map((key) => keyOf(key.pk, key.sk));
function keyOf(one: string, two: number): Record<string, AttributeValue> {
  return { pk: { S: one }, sk: { N: String(two) } };
}
const number = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constantFrom(0.5, 1e20, -1e-9));
const value: fc.Arbitrary<AttributeValue> = fc.oneof(
  number.map((n) => ({ N: String(n) })),
  fc.constantFrom("", "x", "über", "x".repeat(20)).map((S) => ({ S })),
  // The other one takes `false` for absent in IN.
  fc.constant({ BOOL: true }),
  fc.constant({ NULL: true as const }),
  fc.uniqueArray(fc.constantFrom("p", "q", "r"), { minLength: 1 }).map((SS) => ({ SS })),
  fc.array(number, { maxLength: 3 }).map((list) => ({ L: list.map((n) => ({ N: String(n) })) })),
  number.map((n) => ({ M: { deep: { N: String(n) } } })),
);
const attributes = fc.dictionary(fc.constantFrom("v", "w"), value);
const path = fc.constantFrom("#v", "#w", "#v.deep", "sk");
const comparator = fc.constantFrom("= :x", "<> :x", "< :a", "<= :a", "> :a", ">= :a", "BETWEEN :a AND :b");
const condition = fc.oneof(
  fc.constantFrom("attribute_exists(#v)", "attribute_not_exists(pk)", "attribute_type(#v, :type)"),
  fc.tuple(path, comparator).map(([one, is]) => `${one} ${is}`),
  path.map((one) => `begins_with(${one}, :s)`),
  path.map((one) => `contains(${one}, :x) OR NOT ${one} IN (:x, :y)`),
  fc.constant("size(#v) > :n AND attribute_exists(#w)"),
);
const update = fc.oneof(
  fc.constantFrom("SET #v = :x", "SET #v = if_not_exists(#v, :x)", "SET #v = #w", "SET #v.deep = :x"),
  fc.constantFrom("ADD #v :n", "REMOVE #v", "REMOVE #v SET #w = :x", "SET #v = #v + :n", "ADD #v :set"),
  fc.constantFrom("SET #v.deep = #v.deep + :n, #w = :x", "SET pk = :x", "SET #v = :missing"),
);

/** Only the placeholders that the expressions use: DynamoDB refuses others. */
function placeholders(expressions: readonly (string | undefined)[], x: AttributeValue, y: AttributeValue) {
  const text = expressions.join(" ");
  const names = Object.entries({ "#v": "v", "#w": "w" }).filter(([name]) => text.includes(name));
  const known: Record<string, AttributeValue> = {
    ":x": x,
    ":y": y,
    // Only numbers, text and bytes have an order.
    ":a": "S" in x ? x : { N: "N" in x ? x.N : "2" },
    ":b": "S" in y ? y : { N: "N" in y ? y.N : "3" },
    ":s": { S: "x" },
    ":n": { N: "1" },
    ":type": { S: "N" },
    ":set": { SS: ["q", "z"] },
    ":pk": { S: "a" },
  };
  const values = Object.entries(known).filter(([name]) => new RegExp(`${name}\\b`).test(text));
  return {
    ...(names.length === 0 ? {} : { ExpressionAttributeNames: Object.fromEntries(names) }),
    ...(values.length === 0 ? {} : { ExpressionAttributeValues: Object.fromEntries(values) }),
  };
}

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const command: fc.Arbitrary<() => Command> = fc.oneof(
  fc.tuple(Key, attributes, maybe(condition), value, value).map(
    ([key, more, ConditionExpression, x, y]) =>
      () =>
        new PutItemCommand({
          TableName,
          Item: { ...more, ...key },
          ReturnValues: "ALL_OLD",
          ...(ConditionExpression === undefined ? {} : { ConditionExpression }),
          ...placeholders([ConditionExpression], x, y),
        }),
  ),
  fc
    .tuple(Key, update, maybe(condition), value, value, fc.constantFrom("ALL_NEW", "UPDATED_OLD", "NONE"))
    .map(
      ([key, UpdateExpression, ConditionExpression, x, y, ReturnValues]) =>
        () =>
          new UpdateItemCommand({
            TableName,
            Key: key,
            UpdateExpression,
            ReturnValues,
            ...(ConditionExpression === undefined ? {} : { ConditionExpression }),
            ...placeholders([UpdateExpression, ConditionExpression], x, y),
          }),
    ),
  fc.tuple(Key, maybe(condition), value, value).map(
    ([key, ConditionExpression, x, y]) =>
      () =>
        new DeleteItemCommand({
          TableName,
          Key: key,
          ReturnValues: "ALL_OLD",
          ...(ConditionExpression === undefined ? {} : { ConditionExpression }),
          ...placeholders([ConditionExpression], x, y),
        }),
  ),
  Key.map((key) => () => new GetItemCommand({ TableName, Key: key })),
  fc
    .tuple(
      fc.constantFrom("", " AND sk > :n", " AND sk BETWEEN :n AND :n", " AND sk = :n"),
      fc.boolean(),
      maybe(fc.integer({ min: 1, max: 3 })),
      maybe(condition.filter((text) => !/\b(pk|sk)\b/.test(text))),
      value,
      value,
    )
    .map(
      ([range, ScanIndexForward, Limit, FilterExpression, x, y]) =>
        () =>
          new QueryCommand({
            TableName,
            KeyConditionExpression: `pk = :pk${range}`,
            ScanIndexForward,
            ...(Limit === undefined ? {} : { Limit }),
            ...(FilterExpression === undefined ? {} : { FilterExpression }),
            ...placeholders([":pk", range, FilterExpression], x, y),
          }),
    ),
  maybe(condition).chain((FilterExpression) =>
    fc.tuple(value, value).map(
      ([x, y]) =>
        () =>
          new ScanCommand({
            TableName,
            ...(FilterExpression === undefined ? {} : { FilterExpression }),
            ...placeholders([FilterExpression], x, y),
          }),
    ),
  ),
  fc
    .uniqueArray(fc.tuple(Key, attributes), {
      minLength: 1,
      maxLength: 4,
      selector: ([key]) => JSON.stringify(key),
    })
    .map(
      (items) => () =>
        new BatchWriteItemCommand({
          RequestItems: {
            [TableName]: items.map(([key, more], index) =>
              index % 2 === 0
                ? { PutRequest: { Item: { ...more, ...key } } }
                : { DeleteRequest: { Key: key } },
            ),
          },
        }),
    ),
  fc
    .uniqueArray(Key, { minLength: 1, maxLength: 4, selector: (key) => JSON.stringify(key) })
    .map((Keys) => () => new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys } } })),
);

test(
  "two independent DynamoDBs say the same of any course of calls: answers, refusals, what is left",
  { timeout: 120_000 },
  async () => {
    const kinds = new Set<unknown>();
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 30 }), async (course) => {
        for (const one of course) {
          const answer = await bothSay(one);
          kinds.add(typeof answer === "string" ? answer : one().constructor.name);
        }
      }),
      { numRuns: 30, seed: 6, endOnFailure: false },
    );
    expect(kinds).toEqual(
      new Set([
        "PutItemCommand",
        "GetItemCommand",
        "DeleteItemCommand",
        "UpdateItemCommand",
        "QueryCommand",
        "ScanCommand",
        "BatchWriteItemCommand",
        "BatchGetItemCommand",
        "ConditionalCheckFailedException",
        "ValidationException",
      ]),
    );
  },
);

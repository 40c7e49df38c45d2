import {
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import { DrivenClock } from "@coalmine/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestCloud, type TestCloud } from "../protocol/test-cloud.ts";

const clock = new DrivenClock(Date.parse("2030-06-01T00:00:00Z"), () => new Promise(setImmediate));
let cloud: TestCloud;
let dynamo: DynamoDBClient;
const TableName = "rows";
beforeAll(async () => {
  cloud = await startTestCloud({ clock });
  dynamo = new DynamoDBClient(cloud.client);
  await dynamo.send(
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
});
afterAll(async () => {
  dynamo.destroy();
  await cloud.close();
});
const key = (pk: string, sk: number) => ({ pk: { S: pk }, sk: { N: String(sk) } });
const put = (pk: string, sk: number, more: object = {}, options: object = {}) =>
  dynamo.send(new PutItemCommand({ TableName, Item: { ...key(pk, sk), ...more }, ...options }));
const get = async (pk: string, sk: number) =>
  (await dynamo.send(new GetItemCommand({ TableName, Key: key(pk, sk) }))).Item;

test("every kind of value comes back as it was put", async () => {
  const item = {
    s: { S: "ü" },
    n: { N: "12345678901234567890" },
    b: { B: Uint8Array.from([0, 255]) },
    t: { BOOL: true },
    z: { NULL: true },
    ss: { SS: ["a", "b"] },
    l: { L: [{ N: "1" }, { M: { deep: { S: "x" } } }] },
  } as const;
  await put("kinds", 1, item);
  expect(await get("kinds", 1)).toEqual({ ...key("kinds", 1), ...item });
  const { Table } = await dynamo.send(new DescribeTableCommand({ TableName }));
  expect(Table).toMatchObject({ TableStatus: "ACTIVE", ItemCount: 1 });
});

test("a condition lets one of many writers through, and shows the loser what is there", async () => {
  const writes = await Promise.allSettled(
    Array.from({ length: 6 }, (_, n) =>
      put(
        "events",
        1,
        { by: { N: String(n) } },
        {
          ConditionExpression: "attribute_not_exists(pk)",
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        },
      ),
    ),
  );
  expect(writes.filter((write) => write.status === "fulfilled")).toHaveLength(1);
  const lost = writes.find((write) => write.status === "rejected");
  expect(lost?.reason).toMatchObject({
    name: "ConditionalCheckFailedException",
    Item: { pk: { S: "events" } },
  });
});

test("updates set, add and remove under a condition", async () => {
  const update = (UpdateExpression: string, values: object, ConditionExpression?: string) =>
    dynamo.send(
      new UpdateItemCommand({
        TableName,
        Key: key("u", 1),
        UpdateExpression,
        ConditionExpression,
        ExpressionAttributeNames: UpdateExpression.includes("#state") ? { "#state": "state" } : undefined,
        ExpressionAttributeValues: Object.keys(values).length === 0 ? undefined : { ...values },
        ReturnValues: "ALL_NEW",
      }),
    );
  const first = await update("SET #state = :s, n = if_not_exists(n, :zero) + :one", {
    ":s": { S: "baking" },
    ":zero": { N: "0" },
    ":one": { N: "1" },
  });
  expect(first.Attributes).toMatchObject({ state: { S: "baking" }, n: { N: "1" } });
  const second = await update("ADD n :five", { ":five": { N: "5" } });
  expect(second.Attributes).toMatchObject({ n: { N: "6" } });
  await expect(
    update("SET n = :x", { ":x": { N: "0" }, ":low": { N: "6" } }, "n < :low AND attribute_exists(pk)"),
  ).rejects.toMatchObject({ name: "ConditionalCheckFailedException" });
  const third = await update("REMOVE n", {});
  expect(third.Attributes).not.toHaveProperty("n");
  await expect(update("SET sk = :x", { ":x": { N: "9" } })).rejects.toThrow("part of the key");
});

test("a query reads one partition by its number keys, both ways, between, and in pages", async () => {
  for (const sk of [10, 9, 100, -1, 2.5]) await put("q", sk, { odd: { BOOL: sk % 2 !== 0 } });
  await put("q2", 1);
  const query = (more: object) =>
    dynamo.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: "pk = :p",
        ExpressionAttributeValues: { ":p": { S: "q" } },
        ...more,
      }),
    );
  const numbers = (items: Awaited<ReturnType<typeof query>>["Items"]) =>
    items?.map((item) => Number(item["sk"]?.N));
  expect(numbers((await query({})).Items)).toEqual([-1, 2.5, 9, 10, 100]);
  expect(numbers((await query({ ScanIndexForward: false, Limit: 2 })).Items)).toEqual([100, 10]);
  const between = await query({
    KeyConditionExpression: "pk = :p AND sk BETWEEN :a AND :b",
    ExpressionAttributeValues: { ":p": { S: "q" }, ":a": { N: "2" }, ":b": { N: "10" } },
  });
  expect(numbers(between.Items)).toEqual([2.5, 9, 10]);
  const seen: (number | undefined)[] = [];
  let from: Awaited<ReturnType<typeof query>>["LastEvaluatedKey"];
  do {
    const page = await query({ Limit: 2, ExclusiveStartKey: from });
    seen.push(...(numbers(page.Items) ?? []));
    from = page.LastEvaluatedKey;
  } while (from !== undefined);
  expect(seen).toEqual([-1, 2.5, 9, 10, 100]);
  const filtered = await query({
    FilterExpression: "odd = :t",
    ExpressionAttributeValues: { ":p": { S: "q" }, ":t": { BOOL: true } },
  });
  expect([filtered.Count, filtered.ScannedCount]).toEqual([3, 5]);
  await expect(query({ KeyConditionExpression: "sk = :p" })).rejects.toThrow("missed key schema element");
});

test("a batch writes all, a transaction all or nothing", async () => {
  await dynamo.send(
    new BatchWriteItemCommand({
      RequestItems: {
        [TableName]: [1, 2, 3].map((sk) => ({ PutRequest: { Item: key("batch", sk) } })),
      },
    }),
  );
  const transact = (expected: string) =>
    dynamo.send(
      new TransactWriteItemsCommand({
        TransactItems: [
          { Put: { TableName, Item: { ...key("tx", 1), v: { S: "new" } } } },
          {
            ConditionCheck: {
              TableName,
              Key: key("batch", 1),
              ConditionExpression: expected,
            },
          },
          { Delete: { TableName, Key: key("batch", 2) } },
        ],
      }),
    );
  await expect(transact("attribute_not_exists(pk)")).rejects.toMatchObject({
    name: "TransactionCanceledException",
    CancellationReasons: [{ Code: "None" }, { Code: "ConditionalCheckFailed" }, { Code: "None" }],
  });
  expect(await get("tx", 1)).toBeUndefined();
  expect(await get("batch", 2)).toBeDefined();
  await transact("attribute_exists(pk)");
  expect(await get("tx", 1)).toMatchObject({ v: { S: "new" } });
  expect(await get("batch", 2)).toBeUndefined();
});

test("expired items are gone on the cloud's clock", async () => {
  await dynamo.send(
    new UpdateTimeToLiveCommand({
      TableName,
      TimeToLiveSpecification: { Enabled: true, AttributeName: "expiresAt" },
    }),
  );
  await put("ttl", 1, { expiresAt: { N: String(clock.now() / 1000 + 60) } });
  expect(await get("ttl", 1)).toBeDefined();
  // AWS takes its time too: the table is looked through once an hour.
  await clock.runUntil(clock.now() + 2 * 3_600_000);
  expect(await get("ttl", 1)).toBeUndefined();
});

test("wrong keys and expressions are refused in words", async () => {
  await expect(dynamo.send(new PutItemCommand({ TableName, Item: { pk: { S: "x" } } }))).rejects.toThrow(
    "Missing the key sk",
  );
  await expect(
    dynamo.send(new GetItemCommand({ TableName, Key: { pk: { N: "1" }, sk: { N: "1" } } })),
  ).rejects.toThrow("Type mismatch for key pk");
  await expect(put("x", 1, {}, { ConditionExpression: "a = :v" })).rejects.toThrow("not defined");
  await expect(put("x", 1, {}, { ConditionExpression: "attribute_exists(" })).rejects.toThrow("Syntax error");
  await dynamo.send(new DeleteItemCommand({ TableName, Key: key("never", 1) }));
  const { Count } = await dynamo.send(new ScanCommand({ TableName, Limit: 3, Select: "COUNT" }));
  expect(Count).toBe(3);
});

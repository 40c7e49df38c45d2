import type { Input, Output } from "../service.ts";
import { itemBytes, readItem, writeItem, type AttributeValue, type Item } from "./attribute-value.ts";
import { invalid } from "./invalid.ts";
import {
  ExpressionReader,
  holds,
  readCondition,
  attributeAt,
  type Condition,
  type Placeholders,
} from "./expression.ts";
import type { ItemTable } from "./table.ts";

const PAGE_BYTES_MAX = 1024 * 1024;

/** Query: one partition in order of the range key, in pages. */
export function query(table: ItemTable, input: Input, placeholders: Placeholders): Output {
  if (input.IndexName !== undefined) throw invalid("Secondary indexes are not simulated.");
  const condition = readCondition(String(input.KeyConditionExpression ?? ""), placeholders);
  const partition = partitionOf(condition, table);
  const items = [...table.items(partition)].filter(([, item]) => holds(condition, item));
  if (input.ScanIndexForward === false) items.reverse();
  return pageOf(table, items, input, placeholders);
}

export function scan(table: ItemTable, input: Input, placeholders: Placeholders): Output {
  if (input.IndexName !== undefined || input.TotalSegments !== undefined)
    throw invalid("Secondary indexes and parallel scans are not simulated.");
  return pageOf(table, [...table.items()], input, placeholders);
}

/** The value that the partition key must equal; and that the rest is one condition on the range key. */
function partitionOf(condition: Condition, table: ItemTable): AttributeValue {
  const { hashKey, rangeKey } = table.description;
  const parts = condition.kind === "and" ? condition.parts : [condition];
  const partition = parts.find(
    (part) =>
      part.kind === "compare" &&
      part.operator === "=" &&
      part.left.kind === "path" &&
      part.left.path[0] === hashKey,
  );
  const rest = parts.filter((part) => part !== partition);
  if (partition?.kind !== "compare" || partition.right.kind !== "value")
    throw invalid(`Query condition missed key schema element: ${hashKey}`);
  if (rest.length > 1 || rest.some((part) => rangeKey === undefined || keyNameOf(part) !== rangeKey))
    throw invalid("Query key condition not supported");
  return partition.right.value;
}

function keyNameOf(part: Condition): string | undefined {
  switch (part.kind) {
    case "compare":
      return part.left.kind === "path" && part.operator !== "<>" ? part.left.path[0] : undefined;
    case "between":
      return part.operand.kind === "path" ? part.operand.path[0] : undefined;
    case "call":
      return part.name === "begins_with" ? part.path[0] : undefined;
    case "in":
    case "and":
    case "or":
    case "not":
      return undefined;
  }
  return undefined;
}

/** Filters after the page was cut, as DynamoDB does: a page may be empty and still have a next one. */
function pageOf(
  table: ItemTable,
  items: readonly (readonly [string, Item])[],
  input: Input,
  placeholders: Placeholders,
): Output {
  const filter =
    input.FilterExpression === undefined
      ? undefined
      : readCondition(String(input.FilterExpression), placeholders);
  const project = projection(input, placeholders);
  const limit = Number(input.Limit ?? Infinity);
  if (!(limit >= 1)) throw invalid("Limit must be greater than or equal to 1");
  let start = 0;
  if (input.ExclusiveStartKey !== undefined) {
    const key = table.keyOf(readItem(input.ExclusiveStartKey), false);
    start = items.findIndex(([candidate]) => candidate === key) + 1;
    // The item may have gone meanwhile: without an order to find its place by, the page starts after nothing.
    if (start === 0) start = placeAfter(table, items, readItem(input.ExclusiveStartKey), input);
  }
  const page: Item[] = [];
  let bytes = 0;
  let at = start;
  for (; at < items.length && at - start < limit && bytes < PAGE_BYTES_MAX; at++) {
    const item = items[at]?.[1] ?? {};
    bytes += itemBytes(item);
    if (filter === undefined || holds(filter, item)) page.push(item);
  }
  const last = items[at - 1]?.[1];
  const { hashKey, rangeKey } = table.description;
  const isKey = (name: string): boolean => name === hashKey || name === rangeKey;
  return {
    ...(input.Select === "COUNT" ? {} : { Items: page.map((item) => writeItem(project(item))) }),
    Count: page.length,
    ScannedCount: at - start,
    // A page that is full ends before anybody looks whether more would come.
    ...((at < items.length || at - start >= limit) && last !== undefined
      ? {
          LastEvaluatedKey: writeItem(
            Object.fromEntries(Object.entries(last).filter(([name]) => isKey(name))),
          ),
        }
      : {}),
  };
}

function placeAfter(
  table: ItemTable,
  items: readonly (readonly [string, Item])[],
  startKey: Item,
  input: Input,
): number {
  const key = table.keyOf(startKey, false);
  const next = items.findIndex(([candidate]) =>
    input.ScanIndexForward === false ? candidate < key : candidate > key,
  );
  return next < 0 ? items.length : next;
}

export function projection(input: Input, placeholders: Placeholders): (item: Item) => Item {
  if (input.ProjectionExpression === undefined) return (item) => item;
  const reader = new ExpressionReader(String(input.ProjectionExpression), placeholders);
  const paths: (readonly string[])[] = [];
  do paths.push(reader.path());
  while (reader.take(","));
  if (!reader.isAtEnd || paths.some((path) => path.length > 1))
    throw invalid("Invalid ProjectionExpression: only attributes at the top are simulated");
  return (item) =>
    Object.fromEntries(
      paths.flatMap(([name = ""]) => {
        const value = attributeAt(item, [name]);
        return value === undefined ? [] : [[name, value]];
      }),
    );
}

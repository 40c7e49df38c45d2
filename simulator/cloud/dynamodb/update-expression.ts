import type { AttributeValue, Item } from "./attribute-value.ts";
import { addDecimals, readDecimal, writeDecimal } from "./decimal.ts";
import { invalid } from "./invalid.ts";
import { attributeAt, ExpressionReader, type Placeholders } from "./expression.ts";

type Change =
  | { readonly kind: "set"; readonly path: readonly string[]; readonly value: (item: Item) => AttributeValue }
  | { readonly kind: "remove"; readonly path: readonly string[] };

export interface Update {
  readonly apply: (item: Item) => Item;
  /** Of an item, what the update names. */
  readonly touched: (item: Item) => Item;
}

/** `SET a = :v, b = if_not_exists(b, :zero) + :n REMOVE c ADD d :n`. Every value is read of the item as it was; `key` stays. */
export function readUpdate(text: string, placeholders: Placeholders, key: Item): Update {
  const reader = new ExpressionReader(text, placeholders);
  const changes: Change[] = [];
  while (!reader.isAtEnd) {
    const clause = reader.next().toUpperCase();
    do changes.push(changeOf(clause, reader));
    while (reader.take(","));
  }
  for (const {
    path: [first = ""],
  } of changes)
    if (Object.hasOwn(key, first))
      throw invalid(
        `One or more parameter values were invalid: Cannot update attribute ${first}. This attribute is part of the key`,
      );
  return {
    apply: (item) => {
      const values = changes.map((change) => (change.kind === "set" ? change.value(item) : undefined));
      return changes.reduce((changed, { path }, index) => withAttribute(changed, path, values[index]), item);
    },
    touched: (item) =>
      changes.reduce<Item>((found, { path }) => {
        const value = attributeAt(item, path);
        return value === undefined ? found : withAttribute(withMaps(found, path), path, value);
      }, {}),
  };
}

/** Empty maps where the path leads through none yet. */
function withMaps(item: Item, [first = "", ...rest]: readonly string[]): Item {
  if (rest.length === 0) return item;
  const inner = item[first];
  return { ...item, [first]: { M: withMaps(inner !== undefined && "M" in inner ? inner.M : {}, rest) } };
}

function changeOf(clause: string, reader: ExpressionReader): Change {
  const path = reader.path();
  switch (clause) {
    case "SET":
      reader.expect("=");
      return { kind: "set", path, value: sum(reader) };
    case "REMOVE":
      return { kind: "remove", path };
    case "ADD": {
      const added = reader.value();
      return {
        kind: "set",
        path,
        value: (item) => add(attributeAt(item, path) ?? emptyOf(added), added, 1),
      };
    }
    default:
      throw invalid(`Invalid UpdateExpression: Syntax error; token: "${clause}"`);
  }
}

type Term = (item: Item) => AttributeValue;

function sum(reader: ExpressionReader): Term {
  const left = term(reader);
  const sign = reader.take("+") ? 1 : reader.take("-") ? -1 : 0;
  if (sign === 0) return left;
  const right = term(reader);
  return (item) => add(left(item), right(item), sign);
}

function term(reader: ExpressionReader): Term {
  if (reader.peek() === "if_not_exists") {
    reader.next();
    reader.expect("(");
    const path = reader.path();
    reader.expect(",");
    const otherwise = term(reader);
    reader.expect(")");
    return (item) => attributeAt(item, path) ?? otherwise(item);
  }
  if (reader.peek()?.startsWith(":") === true) {
    const value = reader.value();
    return () => value;
  }
  const path = reader.path();
  return (item) => {
    const value = attributeAt(item, path);
    if (value === undefined)
      throw invalid("The provided expression refers to an attribute that does not exist in the item");
    return value;
  };
}

function emptyOf(like: AttributeValue): AttributeValue {
  return "N" in like ? { N: "0" } : like;
}

function add(a: AttributeValue, b: AttributeValue, sign: 1 | -1): AttributeValue {
  if ("N" in a && "N" in b) return { N: writeDecimal(addDecimals(readDecimal(a.N), readDecimal(b.N), sign)) };
  if ("SS" in a && "SS" in b && sign === 1) return { SS: [...new Set([...a.SS, ...b.SS])] };
  throw invalid("An operand in the update expression has an incorrect data type");
}

function withAttribute(item: Item, path: readonly string[], value: AttributeValue | undefined): Item {
  const [first = "", ...rest] = path;
  if (rest.length === 0) {
    const others = Object.entries(item).filter(([name]) => name !== first);
    return Object.fromEntries(value === undefined ? others : [...others, [first, value]]);
  }
  const inner = item[first];
  if (inner === undefined || !("M" in inner)) {
    if (value === undefined) return item;
    throw invalid("The document path provided in the update expression is invalid for update");
  }
  return { ...item, [first]: { M: withAttribute(inner.M, rest, value) } };
}

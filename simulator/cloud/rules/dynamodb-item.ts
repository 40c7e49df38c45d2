import { invalid } from "../iot/operation.ts";
import { isSqlArray, isSqlObject, type SqlValue } from "./sql/value.ts";

/** An outgoing payload as a DynamoDB item, one attribute a key. @throws ServiceError if it is no object. */
export function dynamoDbItem(output: SqlValue): Record<string, object> {
  if (!isSqlObject(output)) throw invalid("The payload is not a JSON object, so it has no attributes.");
  return Object.fromEntries(
    Object.entries(output).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, attributeOf(value)]],
    ),
  );
}

function attributeOf(value: SqlValue): object {
  if (typeof value === "string") return { S: value };
  if (typeof value === "number") return { N: String(value) };
  if (typeof value === "boolean") return { BOOL: value };
  if (value instanceof Uint8Array) return { B: value };
  if (isSqlArray(value)) return { L: value.map(attributeOf) };
  return isSqlObject(value) ? { M: dynamoDbItem(value) } : { NULL: true };
}

import type { Input } from "../service.ts";
import { readValue } from "./attribute-value.ts";
import { readCondition, type Condition, type Placeholders } from "./expression.ts";

/** The members that every request with expressions has. */
export function placeholdersOf(input: Input): Placeholders {
  const values = Object.entries(input.ExpressionAttributeValues ?? {});
  return {
    names: input.ExpressionAttributeNames ?? {},
    values: Object.fromEntries(values.map(([name, value]) => [name, readValue(value)])),
  };
}

export function conditionOf(input: Input): Condition | undefined {
  return input.ConditionExpression === undefined
    ? undefined
    : readCondition(String(input.ConditionExpression), placeholdersOf(input));
}

export function wantsOldOnFailure(input: Input): boolean {
  return input.ReturnValuesOnConditionCheckFailure === "ALL_OLD";
}

import { ServiceError, type Input, type Output } from "../service.ts";
import { readItem, type Item } from "./attribute-value.ts";
import { invalid } from "./invalid.ts";
import { conditionOf, placeholdersOf, wantsOldOnFailure } from "./expression-input.ts";
import type { ItemTable } from "./table.ts";
import { readUpdate } from "./update-expression.ts";

const ACTIONS_MAX = 100;

/** All of it or none: every condition is checked before the first write, and nothing is awaited in between. */
export function transactWrite(tableOf: (name: unknown) => ItemTable, actions: readonly Input[]): Output {
  if (actions.length === 0 || actions.length > ACTIONS_MAX)
    throw invalid(`Member must have length less than or equal to ${ACTIONS_MAX}`);
  const prepared = actions.map((action) => prepare(tableOf, action));
  if (new Set(prepared.map(({ id }) => id)).size !== prepared.length)
    throw invalid("Transaction request cannot include multiple operations on one item");
  const reasons = prepared.map(({ check }) => {
    try {
      check();
      return { Code: "None" };
    } catch (failure) {
      if (!(failure instanceof ServiceError) || failure.code !== "ConditionalCheckFailedException")
        throw failure;
      return { Code: "ConditionalCheckFailed", Message: failure.message, ...failure.fields };
    }
  });
  if (reasons.some((reason) => reason.Code !== "None"))
    throw new ServiceError(
      "TransactionCanceledException",
      400,
      `Transaction cancelled, please refer cancellation reasons for specific reasons [${reasons.map((reason) => reason.Code).join(", ")}]`,
      { CancellationReasons: reasons },
    );
  const writes = prepared.map(({ item }) => item());
  for (const [index, { table, key, kind }] of prepared.entries()) {
    const item = writes[index];
    if (item !== undefined) table.set(key, item);
    else if (kind === "Delete") table.delete(key);
  }
  return {};
}

interface Prepared {
  readonly kind: "Put" | "Delete" | "Update" | "ConditionCheck";
  readonly table: ItemTable;
  readonly key: string;
  readonly id: string;
  readonly check: () => void;
  /** What is written; undefined where nothing is set. */
  readonly item: () => Item | undefined;
}

function prepare(tableOf: (name: unknown) => ItemTable, action: Input): Prepared {
  const kind = (["Put", "Delete", "Update", "ConditionCheck"] as const).find(
    (one) => action[one] !== undefined,
  );
  if (kind === undefined) throw invalid("TransactItems can only contain one of Check, Put, Update or Delete");
  const input: Input = action[kind];
  const table = tableOf(input.TableName);
  const put = kind === "Put" ? table.checked(readItem(input.Item)) : undefined;
  const keyItem = readItem(input.Key);
  const key = put === undefined ? table.keyOf(keyItem, false) : table.keyOf(put, true);
  const condition = conditionOf(input);
  const update =
    kind === "Update"
      ? readUpdate(String(input.UpdateExpression), placeholdersOf(input), readItem(input.Key))
      : undefined;
  return {
    kind,
    table,
    key,
    id: `${table.description.name}\n${key}`,
    check: () => table.check(key, condition, wantsOldOnFailure(input)),
    item: () => put ?? (update && table.checked(update.apply(table.get(key) ?? keyItem))),
  };
}

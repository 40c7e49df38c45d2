import type { Clock, Instant } from "@coalmine/ports";
import { ServiceError } from "../service.ts";
import type { Store, Table } from "../store/store.ts";
import { compareValues, itemBytes, writeItem, type AttributeValue, type Item } from "./attribute-value.ts";
import { invalid } from "./invalid.ts";
import { holds, type Condition } from "./expression.ts";

export interface TableDescription {
  readonly name: string;
  readonly arn: string;
  readonly id: string;
  readonly createdAt: Instant;
  readonly hashKey: string;
  readonly rangeKey?: string;
  readonly keyTypes: Readonly<Record<string, "S" | "N" | "B">>;
  readonly billingMode: string;
  /** The attribute that holds the second after which an item may go. */
  readonly ttlAttribute?: string;
}

const ITEM_BYTES_MAX = 400 * 1024;
const PURGE_EVERY_MS = 3_600_000;

/** The items of one table. Writes are synchronous: a condition is checked and the item set in one go. */
export class ItemTable {
  readonly description: TableDescription;
  readonly #items: Table<Item>;
  readonly #clock: Clock;
  #purgedAt = 0;

  constructor(store: Store, description: TableDescription, clock: Clock) {
    this.description = description;
    this.#items = store.table(`dynamodb/items/${description.id}`);
    this.#clock = clock;
  }

  /** @throws ServiceError where the key is not the table's. */
  keyOf(item: Item, isWholeItem: boolean): string {
    const { hashKey, rangeKey, keyTypes } = this.description;
    const names = rangeKey === undefined ? [hashKey] : [hashKey, rangeKey];
    if (!isWholeItem && Object.keys(item).length !== names.length)
      throw invalid("The provided key element does not match the schema");
    return names
      .map((name) => {
        const value = Object.hasOwn(item, name) ? item[name] : undefined;
        if (value === undefined)
          throw invalid(
            isWholeItem
              ? `One or more parameter values were invalid: Missing the key ${name} in the item`
              : "The provided key element does not match the schema",
          );
        const [type] = Object.keys(value);
        if (type !== keyTypes[name])
          throw invalid(
            `One or more parameter values were invalid: Type mismatch for key ${name} expected: ${keyTypes[name] ?? ""} actual: ${type ?? ""}`,
          );
        const text = String(Object.values(value)[0]);
        if (text === "")
          throw invalid(
            `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: ${name}`,
          );
        return JSON.stringify(text);
      })
      .join("\n");
  }

  get(key: string): Item | undefined {
    const item = this.#items.get(key);
    return item === undefined || this.#isExpired(item) ? undefined : item;
  }

  /** Throws unless the condition holds of what is there now. */
  check(key: string, condition: Condition | undefined, returnOld: boolean): void {
    const item = this.get(key);
    if (condition !== undefined && !holds(condition, item ?? {}))
      throw new ServiceError(
        "ConditionalCheckFailedException",
        400,
        "The conditional request failed",
        returnOld && item !== undefined ? { Item: writeItem(item) } : {},
      );
  }

  /** The item that `item` would be stored as, or a refusal. */
  checked(item: Item): Item {
    if (itemBytes(item) > ITEM_BYTES_MAX) throw invalid("Item size has exceeded the maximum allowed size");
    return item;
  }

  set(key: string, item: Item): void {
    this.#items.set(key, item);
    this.#purge();
  }

  delete(key: string): void {
    this.#items.delete(key);
  }

  get count(): number {
    return this.#items.size;
  }

  /** Items of one partition by their range key, or all in no order that means anything. */
  *items(partition?: AttributeValue): Iterable<readonly [string, Item]> {
    if (partition === undefined) {
      for (const [key, item] of this.#items.entries()) if (!this.#isExpired(item)) yield [key, item];
      return;
    }
    const { rangeKey } = this.description;
    const prefix = JSON.stringify(String(Object.values(partition)[0]));
    const found: (readonly [string, Item])[] = [];
    for (const [key, item] of this.#items.entries(prefix))
      if ((key === prefix || key[prefix.length] === "\n") && !this.#isExpired(item)) found.push([key, item]);
    if (rangeKey !== undefined)
      found.sort(([, a], [, b]) => {
        const [x, y] = [a[rangeKey], b[rangeKey]];
        return x === undefined || y === undefined ? 0 : (compareValues(x, y) ?? 0);
      });
    yield* found;
  }

  clear(): void {
    for (const [key] of this.#items.entries()) this.#items.delete(key);
  }

  #isExpired(item: Item): boolean {
    const { ttlAttribute } = this.description;
    const value = ttlAttribute === undefined ? undefined : item[ttlAttribute];
    if (value === undefined || !("N" in value)) return false;
    const seconds = Number(value.N);
    const now = this.#clock.now() / 1000;
    // What lies more than five years back is taken for a mistake and kept.
    return seconds < now && seconds > now - 5 * 365 * 24 * 3600;
  }

  /** Expired items are hidden at once and removed now and then. */
  #purge(): void {
    const now = this.#clock.now();
    if (this.description.ttlAttribute === undefined || now - this.#purgedAt < PURGE_EVERY_MS) return;
    this.#purgedAt = now;
    for (const [key, item] of this.#items.entries()) if (this.#isExpired(item)) this.#items.delete(key);
  }
}

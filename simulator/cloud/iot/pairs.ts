import type { Table } from "../store/store.ts";

/** A relation between two kinds of names, kept in a table and found from either side. */
export class Pairs {
  readonly #table: Table<true>;
  readonly #changed: () => void;
  readonly #rightOf = new Map<string, Set<string>>();
  readonly #leftOf = new Map<string, Set<string>>();

  /** `changed` is called after each change. */
  constructor(table: Table<true>, changed: () => void) {
    this.#table = table;
    this.#changed = changed;
    for (const [key] of table.entries()) {
      const [left = "", right = ""] = key.split("\n");
      this.#note(left, right);
    }
  }

  has(left: string, right: string): boolean {
    return this.#rightOf.get(left)?.has(right) === true;
  }
  /** False when it was there already. */
  add(left: string, right: string): boolean {
    if (this.has(left, right)) return false;
    this.#table.set(`${left}\n${right}`, true);
    this.#note(left, right);
    this.#changed();
    return true;
  }
  /** False when it was not there. */
  delete(left: string, right: string): boolean {
    if (!this.has(left, right)) return false;
    this.#table.delete(`${left}\n${right}`);
    drop(this.#rightOf, left, right);
    drop(this.#leftOf, right, left);
    this.#changed();
    return true;
  }
  /** Sorted. */
  rightOf(left: string): string[] {
    return [...(this.#rightOf.get(left) ?? [])].sort();
  }
  /** Sorted. */
  leftOf(right: string): string[] {
    return [...(this.#leftOf.get(right) ?? [])].sort();
  }

  #note(left: string, right: string): void {
    into(this.#rightOf, left, right);
    into(this.#leftOf, right, left);
  }
}

function into(map: Map<string, Set<string>>, key: string, value: string): void {
  const set = map.get(key);
  if (set === undefined) map.set(key, new Set([value]));
  else set.add(value);
}
function drop(map: Map<string, Set<string>>, key: string, value: string): void {
  const set = map.get(key);
  set?.delete(value);
  if (set?.size === 0) map.delete(key);
}

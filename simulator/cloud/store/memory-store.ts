import { invariant } from "@coalmine/runtime";
import { hashOf } from "./hash-of.ts";
import type { BlobId, Store, Table } from "./store.ts";

/** A store without a disk, for tests and for driven regions (which checkpoint when their clock stands). */
export function memoryStore(): Store {
  const tables = new Map<string, MemoryTable<unknown>>();
  const blobs = new Map<BlobId, Uint8Array>();
  return {
    table<Value>(name: string): Table<Value> {
      const table = tables.get(name) ?? new MemoryTable<unknown>();
      tables.set(name, table);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a table's name fixes its value type.
      return table as unknown as Table<Value>;
    },
    putBlob: (bytes) => {
      const id = hashOf("sha256", bytes);
      blobs.set(id, bytes);
      return Promise.resolve(id);
    },
    getBlob: (id) => {
      const blob = blobs.get(id);
      invariant(blob !== undefined, `no blob ${id}`);
      return Promise.resolve(blob);
    },
    removeBlob: (id) => {
      blobs.delete(id);
      return Promise.resolve();
    },
    commit: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

/** A map that lists its keys in order. */
export class MemoryTable<Value> implements Table<Value> {
  readonly #values = new Map<string, Value>();
  /** Keys in order; those removed meanwhile are among them still, and passed over. */
  #sorted: string[] = [];
  /** Keys set since. */
  #unsorted: string[] = [];

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }
  set(key: string, value: Value): void {
    if (!this.#values.has(key)) this.#unsorted.push(key);
    this.#values.set(key, value);
  }
  delete(key: string): void {
    this.#values.delete(key);
  }
  *entries(prefix = ""): Iterable<readonly [string, Value]> {
    const keys = this.#inOrder();
    for (let index = lowerBound(keys, prefix); index < keys.length; index++) {
      const key = keys[index] ?? "";
      if (!key.startsWith(prefix)) return;
      const value = this.#values.get(key);
      if (value !== undefined) yield [key, value];
    }
  }
  get size(): number {
    return this.#values.size;
  }

  /** Merges what came since the last time: a table that grows is not sorted as a whole each time it is read. */
  #inOrder(): readonly string[] {
    if (this.#unsorted.length > 0) {
      this.#sorted = merged(this.#sorted, this.#unsorted.sort());
      this.#unsorted = [];
    }
    if (this.#sorted.length > 2 * this.#values.size + 16)
      this.#sorted = this.#sorted.filter((key) => this.#values.has(key));
    return this.#sorted;
  }
}

/** Both in order, each key once: one that was removed and set again is in both. */
function merged(a: readonly string[], b: readonly string[]): string[] {
  const all: string[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [left, right] = [a[i], b[j]];
    const next = right === undefined || (left !== undefined && left <= right) ? left : right;
    if (left === next) i++;
    else j++;
    if (next !== undefined && next !== all.at(-1)) all.push(next);
  }
  return all;
}

function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] ?? "") < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

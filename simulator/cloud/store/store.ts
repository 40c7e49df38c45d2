/**
 * The cloud's state: tables of JSON values in memory, and blobs. What was set is durable when `commit` resolves; the
 * protocol server commits before it answers. Values are not copied: treat what `get` gives as read-only and `set` anew.
 */
export interface Store {
  table<Value>(name: string): Table<Value>;
  putBlob(bytes: Uint8Array): Promise<BlobId>;
  getBlob(id: BlobId): Promise<Uint8Array>;
  removeBlob(id: BlobId): Promise<void>;
  /** Resolves when everything set before is durable. Many may wait for one sync. */
  commit(): Promise<void>;
  close(): Promise<void>;
}

export type BlobId = string;

export interface Table<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  delete(key: string): void;
  /** In order of key. */
  entries(prefix?: string): Iterable<readonly [string, Value]>;
  readonly size: number;
}

import type { Instant } from "@coalmine/ports";
import { hashOf } from "../store/hash-of.ts";
import type { BlobId, Store, Table } from "../store/store.ts";
import type { ChecksumAlgorithm } from "./checksums.ts";

/** Buckets and the versions of their objects, in the cloud's store. What requests mean is `s3-service.ts`'s matter. */
export interface Bucket {
  readonly name: string;
  readonly createdAt: Instant;
  readonly versioning?: "Enabled" | "Suspended";
}

export interface ObjectVersion {
  /** `null` for what was written without versioning, as S3 says it. */
  readonly versionId: string;
  readonly lastModified: Instant;
  /** Absent in a delete marker. */
  readonly content?: {
    readonly blob: BlobId;
    readonly sizeBytes: number;
    readonly etag: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly metadata: Readonly<Record<string, string>>;
    readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly value: string };
    readonly partCount?: number;
  };
}

/** Newest first. */
interface ObjectRow {
  readonly key: string;
  readonly versions: readonly ObjectVersion[];
}

export class ObjectStore {
  readonly buckets: Table<Bucket>;
  readonly #objects: Table<ObjectRow>;
  readonly #references: Table<number>;
  readonly #store: Store;
  readonly #arriving = new Map<BlobId, number>();
  readonly #removing = new Map<BlobId, Promise<void>>();

  constructor(store: Store) {
    this.#store = store;
    this.buckets = store.table("s3/buckets");
    this.#objects = store.table("s3/objects");
    this.#references = store.table("s3/blob-references");
  }

  versionsOf(bucket: string, key: string): readonly ObjectVersion[] {
    return this.#objects.get(rowKey(bucket, key))?.versions ?? [];
  }

  setVersions(bucket: string, key: string, versions: readonly ObjectVersion[]): void {
    if (versions.length === 0) this.#objects.delete(rowKey(bucket, key));
    else this.#objects.set(rowKey(bucket, key), { key, versions });
  }

  /** In the order of the keys' UTF-8 bytes, from `after` (exclusive) on. */
  *list(bucket: string, prefix: string): Iterable<ObjectRow> {
    for (const [, row] of this.#objects.entries(rowKey(bucket, prefix))) yield row;
  }

  isEmpty(bucket: string): boolean {
    for (const _ of this.list(bucket, "")) return false;
    return true;
  }

  /**
   * Bytes are stored once however many objects hold them. `use` is called with their id once they are durable, and sets
   * the row that refers to them and `hold`s them in one go; until then nobody sweeps them.
   */
  async withBlob<Result>(bytes: Uint8Array, use: (blob: BlobId) => Result): Promise<Result> {
    const id = hashOf("sha256", bytes);
    this.#arriving.set(id, (this.#arriving.get(id) ?? 0) + 1);
    try {
      await this.#removing.get(id);
      return use(await this.#store.putBlob(bytes));
    } finally {
      const left = (this.#arriving.get(id) ?? 1) - 1;
      if (left > 0) this.#arriving.set(id, left);
      else this.#arriving.delete(id);
    }
  }

  getBlob(blob: BlobId): Promise<Uint8Array> {
    return this.#store.getBlob(blob);
  }

  hold(blob: BlobId): void {
    this.#references.set(blob, (this.#references.get(blob) ?? 0) + 1);
  }

  /** Forgets one use. `sweep` what nobody uses any more afterwards. */
  release(blob: BlobId): void {
    const left = (this.#references.get(blob) ?? 1) - 1;
    if (left > 0) this.#references.set(blob, left);
    else this.#references.delete(blob);
  }

  /** Removes bytes only when the forgetting is durable, else a crash would leave an object without its bytes. */
  async sweep(blobs: readonly BlobId[]): Promise<void> {
    await this.#store.commit();
    for (const blob of blobs) {
      if (this.#references.get(blob) !== undefined || this.#arriving.has(blob)) continue;
      const removal = this.#store.removeBlob(blob);
      this.#removing.set(blob, removal);
      await removal.finally(() => this.#removing.delete(blob));
    }
  }
}

/** UTF-8 bytes as characters, so that the table's order is the order S3 lists in. */
function rowKey(bucket: string, key: string): string {
  return `${bucket}/${Buffer.from(key, "utf8").toString("latin1")}`;
}

/** Whether `a` comes before `b` in that order. */
export function comesBefore(a: string, b: string): boolean {
  return Buffer.compare(Buffer.from(a, "utf8"), Buffer.from(b, "utf8")) < 0;
}

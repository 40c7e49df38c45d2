import type { Clock, Random } from "@coalmine/ports";
import {
  ServiceError,
  type CloudEvents,
  type Input,
  type Output,
  type Place,
  type Service,
} from "../service.ts";
import { hashOf } from "../store/hash-of.ts";
import type { Store } from "../store/store.ts";
import { uuid } from "../uuid.ts";
import { s3Error } from "./errors.ts";
import { listObjects, listVersions } from "./listing.ts";
import { MultipartUploads } from "./multipart.ts";
import { objectEvent } from "./object-events.ts";
import { ObjectStore, type Bucket, type ObjectVersion } from "./object-store.ts";
import {
  checkContentMd5,
  checkedChecksum,
  checkedKey,
  checkedMetadata,
  checksumFields,
  headersOf,
} from "./put-input.ts";
import { parseRange } from "./range.ts";

export interface S3Options {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly place: Place;
  readonly events: CloudEvents;
}

/** Versions kept of one key; the row that lists them is written anew with each. */
const VERSIONS_PER_KEY_MAX = 10_000;
/** S3 in the SDK's own input and output shapes; bodies are bytes both ways. */
export class S3Service implements Service {
  readonly signingName = "s3";
  readonly operations: Service["operations"];
  readonly #objects: ObjectStore;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #place: Place;
  readonly #events: CloudEvents;

  constructor(options: S3Options) {
    this.#objects = new ObjectStore(options.store);
    this.#clock = options.clock;
    this.#random = options.random;
    this.#place = options.place;
    this.#events = options.events;
    const uploads = new MultipartUploads(options, this.#objects, (bucket, key, content) =>
      this.#writeVersion(bucket, key, content),
    );
    this.operations = {
      CreateBucket: (input) => this.#createBucket(input),
      HeadBucket: (input) => {
        this.bucket(input.Bucket);
        return { BucketRegion: this.#place.region };
      },
      DeleteBucket: (input) => this.#deleteBucket(input),
      ListBuckets: () => ({
        Buckets: [...this.#objects.buckets.entries()].map(([, bucket]) => ({
          Name: bucket.name,
          CreationDate: new Date(bucket.createdAt),
        })),
        Owner: { ID: this.#place.accountId },
      }),
      GetBucketLocation: (input) => {
        this.bucket(input.Bucket);
        // Buckets of us-east-1 have no location constraint.
        return this.#place.region === "us-east-1" ? {} : { LocationConstraint: this.#place.region };
      },
      GetBucketVersioning: (input) => ({ Status: this.bucket(input.Bucket).versioning }),
      PutBucketVersioning: (input) => this.#putVersioning(input),
      ListObjectsV2: (input) => listObjects(this.#objects, this.bucket(input.Bucket).name, input),
      ListObjectVersions: (input) => listVersions(this.#objects, this.bucket(input.Bucket).name, input),
      PutObject: (input) => this.#putObject(input),
      GetObject: (input) => this.#getObject(input, true),
      HeadObject: (input) => this.#getObject(input, false),
      DeleteObject: (input) => this.#deleteObject(input),
      DeleteObjects: (input) => this.#deleteObjects(input),
      CreateMultipartUpload: (input) =>
        uploads.create(this.bucket(input.Bucket), checkedKey(input.Key), input),
      UploadPart: (input) => uploads.uploadPart(input),
      CompleteMultipartUpload: (input) => {
        this.#checkWriteConditions(this.bucket(input.Bucket).name, checkedKey(input.Key), input);
        return uploads.complete(input, () => this.#checkWriteConditions(input.Bucket, input.Key, input));
      },
      AbortMultipartUpload: (input) => uploads.abort(input),
      ListParts: (input) => uploads.listParts(input),
    };
  }

  /** For the other services of this cloud. @throws ServiceError where there is no such object. */
  async readObject(bucket: string, key: string): Promise<Uint8Array | undefined> {
    const { content } = this.#find(this.bucket(bucket).name, checkedKey(key), undefined);
    return content === undefined ? undefined : await this.#objects.getBlob(content.blob);
  }

  /** Makes the bucket where it is missing. */
  async writeObject(bucket: string, key: string, bytes: Uint8Array): Promise<void> {
    if (this.#objects.buckets.get(bucket) === undefined)
      this.#objects.buckets.set(bucket, { name: bucket, createdAt: this.#clock.now() });
    await this.#putObject({ Bucket: bucket, Key: key, Body: bytes });
  }

  bucket(name: unknown): Bucket {
    const bucket = this.#objects.buckets.get(String(name));
    if (bucket === undefined) throw s3Error.noSuchBucket(String(name));
    return bucket;
  }

  #createBucket(input: Input): Output {
    const name = String(input.Bucket);
    if (!/^(?!xn--|sthree-)(?!\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name))
      throw new ServiceError("InvalidBucketName", 400, "The specified bucket is not valid.", {
        BucketName: name,
      });
    const constraint = input.CreateBucketConfiguration?.LocationConstraint;
    if (constraint !== undefined && constraint !== this.#place.region)
      throw new ServiceError(
        "IllegalLocationConstraintException",
        400,
        `The ${String(constraint)} location constraint is incompatible for the region specific endpoint this request was sent to.`,
      );
    if (this.#objects.buckets.get(name) !== undefined && this.#place.region !== "us-east-1")
      throw new ServiceError(
        "BucketAlreadyOwnedByYou",
        409,
        "Your previous request to create the named bucket succeeded and you already own it.",
        { BucketName: name },
      );
    // In us-east-1 creating one's own bucket again answers as the first time.
    if (this.#objects.buckets.get(name) === undefined)
      this.#objects.buckets.set(name, { name, createdAt: this.#clock.now() });
    return { Location: `/${name}` };
  }

  #deleteBucket(input: Input): Output {
    const { name } = this.bucket(input.Bucket);
    if (!this.#objects.isEmpty(name))
      throw new ServiceError(
        "BucketNotEmpty",
        409,
        "The bucket you tried to delete is not empty. You must delete all versions in the bucket.",
      );
    this.#objects.buckets.delete(name);
    return {};
  }

  #putVersioning(input: Input): Output {
    const bucket = this.bucket(input.Bucket);
    const status: unknown = input.VersioningConfiguration?.Status;
    if (status !== "Enabled" && status !== "Suspended") throw s3Error.malformedXml();
    this.#objects.buckets.set(bucket.name, { ...bucket, versioning: status });
    return {};
  }

  async #putObject(input: Input): Promise<Output> {
    const bucket = this.bucket(input.Bucket);
    const key = checkedKey(input.Key);
    const body: Uint8Array = input.Body ?? new Uint8Array();
    checkContentMd5(input.ContentMD5, body);
    const checksum = checkedChecksum(input, body);
    const metadata = checkedMetadata(input.Metadata);
    this.#checkWriteConditions(bucket.name, key, input);
    return await this.#objects.withBlob(body, (blob) => {
      // Looked at again: another writer may have been first while the bytes were written.
      this.#checkWriteConditions(bucket.name, key, input);
      const content = {
        blob,
        sizeBytes: body.length,
        etag: `"${hashOf("md5", body)}"`,
        headers: headersOf(input),
        metadata,
        ...(checksum === undefined ? {} : { checksum }),
      };
      return { ...this.#writeVersion(bucket, key, content), ETag: content.etag, ...checksumFields(checksum) };
    });
  }

  /** Sets the newest version of the key and holds its bytes; answers with what a writer is told. */
  #writeVersion(
    bucket: Bucket,
    key: string,
    content: NonNullable<ObjectVersion["content"]> | undefined,
  ): { VersionId?: string } {
    const { versioning } = this.bucket(bucket.name);
    const versions = this.#objects.versionsOf(bucket.name, key);
    const versionId = versioning === "Enabled" ? uuid(this.#random).replaceAll("-", "") : "null";
    const replaced = versionId === "null" ? versions.filter((version) => version.versionId === "null") : [];
    const kept = versions.filter((version) => !replaced.includes(version));
    if (kept.length >= VERSIONS_PER_KEY_MAX)
      throw s3Error.invalidRequest(`A key has at most ${VERSIONS_PER_KEY_MAX} versions here.`);
    if (content !== undefined) this.#objects.hold(content.blob);
    const version: ObjectVersion = {
      versionId,
      lastModified: this.#clock.now(),
      ...(content === undefined ? {} : { content }),
    };
    this.#objects.setVersions(bucket.name, key, [version, ...kept]);
    this.#forget(replaced);
    const told = versioning === undefined ? undefined : versionId;
    this.#events.emit(objectEvent(content, bucket.name, key, told, version.lastModified));
    return told === undefined ? {} : { VersionId: told };
  }

  /** The bytes go after the answer; a crash before that leaves a file that nobody refers to. */
  #forget(versions: readonly ObjectVersion[]): void {
    const blobs = versions.flatMap((version) =>
      version.content === undefined ? [] : [version.content.blob],
    );
    for (const blob of blobs) this.#objects.release(blob);
    if (blobs.length > 0) void this.#objects.sweep(blobs).catch(() => undefined);
  }

  #checkWriteConditions(bucket: string, key: string, input: Input): void {
    const current = this.#objects.versionsOf(bucket, key)[0]?.content;
    if (input.IfNoneMatch !== undefined) {
      if (input.IfNoneMatch !== "*") throw s3Error.notImplemented("If-None-Match other than * on a write");
      if (current !== undefined) throw s3Error.preconditionFailed("If-None-Match");
    }
    if (input.IfMatch !== undefined) {
      if (current === undefined) throw s3Error.noSuchKey(key);
      if (!matches(input.IfMatch, current.etag)) throw s3Error.preconditionFailed("If-Match");
    }
  }

  async #getObject(input: Input, withBody: boolean): Promise<Output> {
    const bucket = this.bucket(input.Bucket);
    const key = checkedKey(input.Key);
    const version = this.#find(bucket.name, key, input.VersionId);
    const { content } = version;
    const versionFields = bucket.versioning === undefined ? {} : { VersionId: version.versionId };
    if (content === undefined) {
      if (input.VersionId === undefined) throw s3Error.noSuchKey(key);
      throw s3Error.methodNotAllowed();
    }
    if (input.IfMatch !== undefined && !matches(input.IfMatch, content.etag))
      throw s3Error.preconditionFailed("If-Match");
    if (input.IfNoneMatch !== undefined && matches(input.IfNoneMatch, content.etag))
      throw new ServiceError("NotModified", 304, "Not Modified", { ETag: content.etag });
    const range = parseRange(input.Range, content.sizeBytes);
    const whole = withBody ? await this.#objects.getBlob(content.blob) : undefined;
    const checksum = input.ChecksumMode === "ENABLED" && range === undefined ? content.checksum : undefined;
    return {
      ...(whole === undefined
        ? {}
        : { Body: range === undefined ? whole : whole.subarray(range.first, range.last + 1) }),
      ContentLength: range === undefined ? content.sizeBytes : range.last - range.first + 1,
      ...(range === undefined
        ? {}
        : { ContentRange: `bytes ${range.first}-${range.last}/${content.sizeBytes}` }),
      AcceptRanges: "bytes",
      ETag: content.etag,
      LastModified: new Date(version.lastModified),
      Metadata: content.metadata,
      ContentType: "binary/octet-stream",
      ...content.headers,
      ...versionFields,
      ...checksumFields(checksum),
    };
  }

  #find(bucket: string, key: string, versionId: string | undefined): ObjectVersion {
    const versions = this.#objects.versionsOf(bucket, key);
    if (versionId === undefined) {
      const [newest] = versions;
      if (newest === undefined) throw s3Error.noSuchKey(key);
      return newest;
    }
    const version = versions.find((candidate) => candidate.versionId === versionId);
    if (version === undefined) throw s3Error.noSuchVersion(key, versionId);
    return version;
  }

  #deleteObject(input: Input): { DeleteMarker?: boolean; VersionId?: string } {
    const bucket = this.bucket(input.Bucket);
    const key = checkedKey(input.Key);
    const versions = this.#objects.versionsOf(bucket.name, key);
    const named: string | undefined = input.VersionId;
    if (named !== undefined) {
      const gone = versions.filter((version) => version.versionId === named);
      this.#objects.setVersions(
        bucket.name,
        key,
        versions.filter((version) => !gone.includes(version)),
      );
      this.#forget(gone);
      return {
        VersionId: named,
        ...(gone[0] !== undefined && gone[0].content === undefined ? { DeleteMarker: true } : {}),
      };
    }
    if (bucket.versioning === undefined) {
      this.#objects.setVersions(bucket.name, key, []);
      this.#forget(versions);
      const at = this.#clock.now();
      if (versions.length > 0) this.#events.emit(objectEvent(undefined, bucket.name, key, undefined, at));
      return {};
    }
    return { DeleteMarker: true, ...this.#writeVersion(bucket, key, undefined) };
  }

  #deleteObjects(input: Input): Output {
    this.bucket(input.Bucket);
    const named: Input[] = input.Delete?.Objects ?? [];
    if (named.length === 0 || named.length > 1000) throw s3Error.malformedXml();
    const deleted: object[] = [];
    const errors: object[] = [];
    for (const { Key, VersionId } of named) {
      try {
        const { DeleteMarker, VersionId: version } = this.#deleteObject({
          Bucket: input.Bucket,
          Key,
          VersionId,
        });
        deleted.push({
          Key,
          ...(VersionId === undefined ? {} : { VersionId }),
          ...(DeleteMarker === true ? { DeleteMarker, DeleteMarkerVersionId: version } : {}),
        });
      } catch (failure) {
        if (!(failure instanceof ServiceError)) throw failure;
        errors.push({ Key, Code: failure.code, Message: failure.message });
      }
    }
    return { ...(input.Delete.Quiet === true ? {} : { Deleted: deleted }), Errors: errors };
  }
}

function matches(condition: unknown, etag: string): boolean {
  return String(condition)
    .split(",")
    .map((one) => one.trim().replace(/^W\//, ""))
    .some((one) => one === "*" || one === etag || `"${one}"` === etag);
}

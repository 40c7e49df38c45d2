import { createHash } from "node:crypto";
import type { Clock, Instant, Random } from "@coalmine/ports";
import { ServiceError, type Input, type Output } from "../service.ts";
import type { BlobId, Store, Table } from "../store/store.ts";
import { uuid } from "../uuid.ts";
import { s3Error } from "./errors.ts";
import type { Bucket, ObjectStore, ObjectVersion } from "./object-store.ts";
import { checkedChecksum, checkedMetadata, checksumFields, headersOf } from "./put-input.ts";

interface Part {
  readonly partNumber: number;
  readonly blob: BlobId;
  readonly sizeBytes: number;
  /** MD5 in hexadecimal. */
  readonly md5: string;
  readonly lastModified: Instant;
}

interface Upload {
  readonly uploadId: string;
  readonly bucket: Bucket;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly parts: readonly Part[];
}

const PARTS_MAX = 10_000;
const PART_BYTES_MIN = 5 * 1024 * 1024;
const UPLOADS_MAX = 1000;

/** Uploads in parts: kept as blobs until they are completed into one object, or aborted. */
export class MultipartUploads {
  readonly #uploads: Table<Upload>;
  readonly #objects: ObjectStore;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #write: (
    bucket: Bucket,
    key: string,
    content: NonNullable<ObjectVersion["content"]>,
  ) => { VersionId?: string };

  constructor(
    options: { readonly store: Store; readonly clock: Clock; readonly random: Random },
    objects: ObjectStore,
    write: (
      bucket: Bucket,
      key: string,
      content: NonNullable<ObjectVersion["content"]>,
    ) => { VersionId?: string },
  ) {
    this.#uploads = options.store.table("s3/uploads");
    this.#objects = objects;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#write = write;
  }

  create(bucket: Bucket, key: string, input: Input): Output {
    if (this.#uploads.size >= UPLOADS_MAX)
      throw s3Error.invalidRequest(`At most ${UPLOADS_MAX} uploads may be open; complete or abort some.`);
    const uploadId = uuid(this.#random).replaceAll("-", "");
    const metadata = checkedMetadata(input.Metadata);
    this.#uploads.set(uploadId, { uploadId, bucket, key, headers: headersOf(input), metadata, parts: [] });
    return { Bucket: bucket.name, Key: key, UploadId: uploadId };
  }

  async uploadPart(input: Input): Promise<Output> {
    this.#upload(input);
    const partNumber = Number(input.PartNumber);
    if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > PARTS_MAX)
      throw s3Error.invalidArgument(`Part number must be an integer between 1 and ${PARTS_MAX}, inclusive`);
    const body: Uint8Array = input.Body ?? new Uint8Array();
    const checksum = checkedChecksum(input, body);
    const md5 = createHash("md5").update(body).digest("hex");
    return await this.#objects.withBlob(body, (blob) => {
      const upload = this.#upload(input);
      this.#objects.hold(blob);
      const part: Part = { partNumber, blob, sizeBytes: body.length, md5, lastModified: this.#clock.now() };
      const replaced = upload.parts.filter((other) => other.partNumber === partNumber);
      const parts = [...upload.parts.filter((other) => other.partNumber !== partNumber), part];
      this.#uploads.set(upload.uploadId, {
        ...upload,
        parts: parts.sort((a, b) => a.partNumber - b.partNumber),
      });
      this.#forget(replaced);
      return { ETag: `"${md5}"`, ...checksumFields(checksum) };
    });
  }

  /** `check` looks once more at the write conditions, at the moment of writing. */
  async complete(input: Input, check: () => void): Promise<Output> {
    const upload = this.#upload(input);
    const parts = chosenParts(upload, input.MultipartUpload?.Parts ?? []);
    const bytes = Buffer.concat(await Promise.all(parts.map((part) => this.#objects.getBlob(part.blob))));
    const digests = Buffer.concat(parts.map((part) => Buffer.from(part.md5, "hex")));
    const etag = `"${createHash("md5").update(digests).digest("hex")}-${parts.length}"`;
    return await this.#objects.withBlob(bytes, (blob) => {
      this.#upload(input);
      check();
      const written = this.#write(upload.bucket, upload.key, {
        blob,
        sizeBytes: bytes.length,
        etag,
        headers: upload.headers,
        metadata: upload.metadata,
        partCount: parts.length,
      });
      this.#uploads.delete(upload.uploadId);
      this.#forget(upload.parts);
      return {
        Location: `/${upload.bucket.name}/${upload.key}`,
        Bucket: upload.bucket.name,
        Key: upload.key,
        ETag: etag,
        ...written,
      };
    });
  }

  abort(input: Input): Output {
    const upload = this.#upload(input);
    this.#uploads.delete(upload.uploadId);
    this.#forget(upload.parts);
    return {};
  }

  listParts(input: Input): Output {
    const upload = this.#upload(input);
    const after = Number(input.PartNumberMarker ?? 0);
    const max = Math.min(Number(input.MaxParts ?? 1000), 1000);
    const rest = upload.parts.filter((part) => part.partNumber > after);
    const page = rest.slice(0, max);
    return {
      Bucket: upload.bucket.name,
      Key: upload.key,
      UploadId: upload.uploadId,
      MaxParts: max,
      IsTruncated: rest.length > page.length,
      ...(rest.length > page.length ? { NextPartNumberMarker: page.at(-1)?.partNumber } : {}),
      Parts: page.map((part) => ({
        PartNumber: part.partNumber,
        LastModified: new Date(part.lastModified),
        ETag: `"${part.md5}"`,
        Size: part.sizeBytes,
      })),
    };
  }

  #upload(input: Input): Upload {
    const upload = this.#uploads.get(String(input.UploadId));
    if (upload === undefined || upload.bucket.name !== input.Bucket || upload.key !== input.Key)
      throw s3Error.noSuchUpload(String(input.UploadId));
    return upload;
  }

  #forget(parts: readonly Part[]): void {
    for (const part of parts) this.#objects.release(part.blob);
    const blobs = parts.map((part) => part.blob);
    if (blobs.length > 0) void this.#objects.sweep(blobs).catch(() => undefined);
  }
}

/** The parts that the completion names, in its order, which must be rising. */
function chosenParts(upload: Upload, named: readonly Input[]): readonly Part[] {
  if (named.length === 0) throw s3Error.malformedXml();
  const parts = named.map(({ PartNumber, ETag }): Part => {
    const part = upload.parts.find((candidate) => candidate.partNumber === Number(PartNumber));
    if (part === undefined || String(ETag).replaceAll('"', "") !== part.md5)
      throw new ServiceError(
        "InvalidPart",
        400,
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
      );
    return part;
  });
  for (const [index, part] of parts.entries()) {
    const previous = parts[index - 1];
    if (previous !== undefined && previous.partNumber >= part.partNumber)
      throw new ServiceError(
        "InvalidPartOrder",
        400,
        "The list of parts was not in ascending order. The parts list must be specified in order by part number.",
      );
    if (index < parts.length - 1 && part.sizeBytes < PART_BYTES_MIN)
      throw new ServiceError(
        "EntityTooSmall",
        400,
        "Your proposed upload is smaller than the minimum allowed size",
        { PartNumber: part.partNumber },
      );
  }
  return parts;
}

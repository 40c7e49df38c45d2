import type { Input, Output } from "../service.ts";
import { s3Error } from "./errors.ts";
import { comesBefore, type ObjectStore, type ObjectVersion } from "./object-store.ts";

const KEYS_PER_PAGE_MAX = 1000;

/** ListObjectsV2: keys in byte order, folded at the delimiter, in pages that a token continues. */
export function listObjects(objects: ObjectStore, bucket: string, input: Input): Output {
  const prefix = String(input.Prefix ?? "");
  const delimiter = String(input.Delimiter ?? "");
  const max = pageSize(input.MaxKeys);
  const token: unknown = input.ContinuationToken;
  const after = token === undefined ? String(input.StartAfter ?? "") : decodeToken(token);
  const contents: object[] = [];
  const prefixes = new Set<string>();
  let last = "";
  let isTruncated = false;
  for (const row of objects.list(bucket, prefix)) {
    const [newest] = row.versions;
    if (newest?.content === undefined) continue;
    const folded = foldOf(row.key, prefix, delimiter);
    const entry = folded ?? row.key;
    if (after !== "" && !comesBefore(after, entry)) continue;
    if (folded !== undefined && prefixes.has(folded)) continue;
    if (contents.length + prefixes.size >= max) {
      isTruncated = max > 0;
      break;
    }
    if (folded === undefined) contents.push(entryOf(row.key, newest));
    else prefixes.add(folded);
    last = entry;
  }
  return {
    Name: bucket,
    Prefix: prefix,
    ...(delimiter === "" ? {} : { Delimiter: delimiter }),
    MaxKeys: max,
    KeyCount: contents.length + prefixes.size,
    IsTruncated: isTruncated,
    ...(isTruncated ? { NextContinuationToken: encodeToken(last) } : {}),
    ...(token === undefined ? {} : { ContinuationToken: token }),
    ...(input.StartAfter === undefined ? {} : { StartAfter: input.StartAfter }),
    ...(input.EncodingType === undefined ? {} : { EncodingType: input.EncodingType }),
    Contents: contents,
    CommonPrefixes: [...prefixes].map((Prefix) => ({ Prefix })),
  };
}

function entryOf(key: string, version: ObjectVersion): object {
  const { content } = version;
  return {
    Key: key,
    LastModified: new Date(version.lastModified),
    ETag: content?.etag,
    ...(content?.checksum === undefined ? {} : { ChecksumAlgorithm: [content.checksum.algorithm] }),
    Size: content?.sizeBytes,
    StorageClass: "STANDARD",
  };
}

/** All versions and delete markers, newest first within a key; pages end between versions. */
export function listVersions(objects: ObjectStore, bucket: string, input: Input): Output {
  const prefix = String(input.Prefix ?? "");
  const max = pageSize(input.MaxKeys);
  const keyMarker = String(input.KeyMarker ?? "");
  const idMarker: unknown = input.VersionIdMarker;
  const versions: object[] = [];
  const markers: object[] = [];
  let last: { key: string; versionId: string } | undefined;
  let isTruncated = false;
  rows: for (const row of objects.list(bucket, prefix)) {
    if (keyMarker !== "" && comesBefore(row.key, keyMarker)) continue;
    let isPastMarker = row.key !== keyMarker;
    for (const [index, version] of row.versions.entries()) {
      if (!isPastMarker) {
        isPastMarker = version.versionId === idMarker;
        continue;
      }
      if (versions.length + markers.length >= max) {
        isTruncated = max > 0;
        break rows;
      }
      const place = { VersionId: version.versionId, IsLatest: index === 0 };
      if (version.content === undefined)
        markers.push({ Key: row.key, LastModified: new Date(version.lastModified), ...place });
      else versions.push({ ...entryOf(row.key, version), ...place });
      last = { key: row.key, versionId: version.versionId };
    }
  }
  return {
    Name: bucket,
    Prefix: prefix,
    KeyMarker: keyMarker,
    MaxKeys: max,
    IsTruncated: isTruncated,
    ...(isTruncated && last !== undefined
      ? { NextKeyMarker: last.key, NextVersionIdMarker: last.versionId }
      : {}),
    ...(input.EncodingType === undefined ? {} : { EncodingType: input.EncodingType }),
    Versions: versions,
    DeleteMarkers: markers,
  };
}

function foldOf(key: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === "") return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}

function pageSize(given: unknown): number {
  if (given === undefined) return KEYS_PER_PAGE_MAX;
  const size = Number(given);
  if (!Number.isInteger(size) || size < 0)
    throw s3Error.invalidArgument("max-keys must be a whole number from 0.");
  return Math.min(size, KEYS_PER_PAGE_MAX);
}

function encodeToken(key: string): string {
  return Buffer.from(`1${key}`, "utf8").toString("base64url");
}

function decodeToken(token: unknown): string {
  const text = Buffer.from(String(token), "base64url").toString("utf8");
  if (!text.startsWith("1")) throw s3Error.invalidArgument("The continuation token provided is incorrect");
  return text.slice(1);
}

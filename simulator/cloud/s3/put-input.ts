import { hash } from "node:crypto";
import { ServiceError, type Input } from "../service.ts";
import { checksumAlgorithms, checksumOf, type ChecksumAlgorithm } from "./checksums.ts";
import { s3Error } from "./errors.ts";

/** What comes with an object's bytes, checked. */
const KEY_BYTES_MAX = 1024;
const METADATA_BYTES_MAX = 2 * 1024;
/** What a client may set and gets back as it was. */
const keptHeaders = [
  "ContentType",
  "CacheControl",
  "ContentDisposition",
  "ContentEncoding",
  "ContentLanguage",
] as const;

export function checkedKey(key: unknown): string {
  if (typeof key !== "string" || key === "")
    throw s3Error.invalidArgument("An object's key cannot be empty.");
  if (Buffer.byteLength(key, "utf8") > KEY_BYTES_MAX)
    throw new ServiceError("KeyTooLongError", 400, "Your key is too long", { MaxSizeAllowed: KEY_BYTES_MAX });
  return key;
}

export function headersOf(input: Input): Record<string, string> {
  return Object.fromEntries(
    keptHeaders.flatMap((name) => (input[name] === undefined ? [] : [[name, String(input[name])]])),
  );
}

export function checkedMetadata(given: unknown): Record<string, string> {
  const metadata = Object.entries(given ?? {}).map(([name, value]): [string, string] => [
    name.toLowerCase(),
    String(value),
  ]);
  const bytes = metadata.reduce((sum, [name, value]) => sum + Buffer.byteLength(name + value, "utf8"), 0);
  if (bytes > METADATA_BYTES_MAX)
    throw new ServiceError(
      "MetadataTooLarge",
      400,
      "Your metadata headers exceed the maximum allowed metadata size",
    );
  return Object.fromEntries(metadata);
}

export function checkContentMd5(given: unknown, body: Uint8Array): void {
  if (given !== undefined && given !== hash("md5", body, "base64")) throw s3Error.badDigest("Content-MD5");
}

/** The checksum that came with the bytes, verified; or computed, where only its algorithm was named. */
export function checkedChecksum(
  input: Input,
  body: Uint8Array,
): { algorithm: ChecksumAlgorithm; value: string } | undefined {
  const given = checksumAlgorithms.filter((algorithm) => input[`Checksum${algorithm}`] !== undefined);
  const [algorithm] =
    given.length > 0 ? given : checksumAlgorithms.filter((name) => name === input.ChecksumAlgorithm);
  if (algorithm === undefined) return undefined;
  if (given.length > 1) throw s3Error.invalidRequest("Expecting a single x-amz-checksum- header.");
  const value = checksumOf(algorithm, body);
  if (given.length === 1 && input[`Checksum${algorithm}`] !== value) throw s3Error.badDigest(algorithm);
  return { algorithm, value };
}

export function checksumFields(
  checksum: { algorithm: ChecksumAlgorithm; value: string } | undefined,
): Record<string, string> {
  return checksum === undefined ? {} : { [`Checksum${checksum.algorithm}`]: checksum.value };
}

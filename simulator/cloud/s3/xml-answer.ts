import { escapeUri } from "../protocol/http.ts";
import { escapeXml } from "../protocol/xml.ts";
import { isObject } from "../protocol/json-shape.ts";

/** Root elements of the answers that have a body. */
const roots: Readonly<Record<string, string>> = {
  ListBuckets: "ListAllMyBucketsResult",
  GetBucketVersioning: "VersioningConfiguration",
  ListObjectsV2: "ListBucketResult",
  ListObjectVersions: "ListVersionsResult",
  DeleteObjects: "DeleteResult",
  CreateMultipartUpload: "InitiateMultipartUploadResult",
  CompleteMultipartUpload: "CompleteMultipartUploadResult",
  ListParts: "ListPartsResult",
};

/** Lists are repeated elements; the SDK's plural names become what S3 calls one. */
const itemNames: Readonly<Record<string, string>> = {
  Contents: "Contents",
  CommonPrefixes: "CommonPrefixes",
  Versions: "Version",
  DeleteMarkers: "DeleteMarker",
  Deleted: "Deleted",
  Errors: "Error",
  Parts: "Part",
  ChecksumAlgorithm: "ChecksumAlgorithm",
};
const urlEncoded = new Set(["Key", "Prefix", "Delimiter", "StartAfter", "KeyMarker", "NextKeyMarker"]);

/** The XML of an answer, or undefined where the operation answers in headers only. */
export function xmlAnswer(operation: string, output: Readonly<Record<string, unknown>>): string | undefined {
  const namespace = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
  if (operation === "GetBucketLocation")
    return `<LocationConstraint ${namespace}>${escapeXml(typeof output["LocationConstraint"] === "string" ? output["LocationConstraint"] : "")}</LocationConstraint>`;
  const root = roots[operation];
  if (root === undefined) return undefined;
  const isEncoded = output["EncodingType"] === "url";
  return `<${root} ${namespace}>${membersOf(output, isEncoded)}</${root}>`;
}

function membersOf(value: Readonly<Record<string, unknown>>, isEncoded: boolean): string {
  return Object.entries(value)
    .map(([name, item]) => {
      if (item === undefined) return "";
      if (name === "Buckets" && Array.isArray(item))
        return `<Buckets>${item.map((one) => element("Bucket", one, isEncoded)).join("")}</Buckets>`;
      if (Array.isArray(item))
        return item.map((one) => element(itemNames[name] ?? name, one, isEncoded)).join("");
      return element(name, item, isEncoded);
    })
    .join("");
}

function element(name: string, value: unknown, isEncoded: boolean): string {
  const content =
    value instanceof Date
      ? value.toISOString()
      : isObject(value)
        ? membersOf(value, isEncoded)
        : escapeXml(isEncoded && urlEncoded.has(name) ? escapeUri(String(value)) : String(value));
  return `<${name}>${content}</${name}>`;
}

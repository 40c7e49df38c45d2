import { ServiceError, type Output } from "../service.ts";
import type { Authenticated } from "../protocol/authenticate.ts";
import type { ObjectDoor } from "../protocol/aws-door.ts";
import { queryPairs, type HttpRequest, type HttpResponse } from "../protocol/http.ts";
import { isObject } from "../protocol/json-shape.ts";
import { childText, escapeXml, parseXml } from "../protocol/xml.ts";
import { decodeAwsChunked, isAwsChunked } from "./aws-chunked.ts";
import { checksumAlgorithms, checksumHeaderOf } from "./checksums.ts";
import { s3Error } from "./errors.ts";
import { findS3Operation, type S3Address } from "./s3-routes.ts";
import { xmlAnswer } from "./xml-answer.ts";

const BODY_BYTES_MAX = 512 * 1024 * 1024;

/** S3's REST-XML, path style: requests to operations and back. */
export const s3Door: ObjectDoor = {
  async handle(request, authenticated, run) {
    const address = addressOf(request);
    const { operation, status } = findS3Operation(request.method, address);
    const input = readInput(operation, address, request, authenticated);
    const output = await run(operation, input);
    return writeOutput(operation, status, output);
  },

  writeError(request, error, requestId) {
    if (error.code === "NotModified")
      return { status: 304, headers: { etag: String(error.fields["ETag"]) }, body: "" };
    const fields = Object.entries(error.fields)
      .map(([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`)
      .join("");
    const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${error.code}</Code><Message>${escapeXml(error.message)}</Message>${fields}<Resource>${escapeXml(request.rawPath)}</Resource><RequestId>${requestId}</RequestId></Error>`;
    return { status: error.statusCode, headers: { "content-type": "application/xml" }, body };
  },
};

/** Keys are taken exactly: `..` and `%252F` name what they say, since no key ever becomes a path here. */
function addressOf(request: HttpRequest): S3Address {
  const path = request.rawPath.replace(/^\//, "");
  const slash = path.indexOf("/");
  const bucket = decodeURIComponent(slash < 0 ? path : path.slice(0, slash));
  const key = slash < 0 ? "" : decodeURIComponent(path.slice(slash + 1));
  return { bucket, key, query: new Map(queryPairs(request.rawQuery)) };
}

/** Query parameters and headers to members of the SDK's input. */
const queryMembers: Readonly<Record<string, string>> = {
  versionId: "VersionId",
  uploadId: "UploadId",
  partNumber: "PartNumber",
  prefix: "Prefix",
  delimiter: "Delimiter",
  "max-keys": "MaxKeys",
  "max-parts": "MaxParts",
  "part-number-marker": "PartNumberMarker",
  "continuation-token": "ContinuationToken",
  "start-after": "StartAfter",
  "encoding-type": "EncodingType",
  "key-marker": "KeyMarker",
  "version-id-marker": "VersionIdMarker",
};
const headerMembers: Readonly<Record<string, string>> = {
  range: "Range",
  "if-match": "IfMatch",
  "if-none-match": "IfNoneMatch",
  "content-type": "ContentType",
  "cache-control": "CacheControl",
  "content-disposition": "ContentDisposition",
  "content-language": "ContentLanguage",
  "content-md5": "ContentMD5",
  "x-amz-checksum-mode": "ChecksumMode",
  "x-amz-sdk-checksum-algorithm": "ChecksumAlgorithm",
};

function readInput(
  operation: string,
  { bucket, key, query }: S3Address,
  request: HttpRequest,
  { signature, secretAccessKey }: Authenticated,
): Record<string, unknown> {
  if (request.body.length > BODY_BYTES_MAX)
    throw new ServiceError(
      "EntityTooLarge",
      400,
      "Your proposed upload exceeds the maximum allowed object size",
    );
  if (request.headers["x-amz-copy-source"] !== undefined) throw s3Error.notImplemented("CopyObject");
  const input: Record<string, unknown> = {};
  if (bucket !== "") input["Bucket"] = bucket;
  if (key !== "") input["Key"] = key;
  for (const [name, member] of Object.entries(queryMembers))
    if (query.get(name) !== undefined) input[member] = query.get(name);
  for (const [name, member] of Object.entries(headerMembers))
    if (request.headers[name] !== undefined) input[member] = request.headers[name];
  const encoding = request.headers["content-encoding"]
    ?.split(",")
    .map((coding) => coding.trim())
    .filter((coding) => coding !== "aws-chunked")
    .join(",");
  if (encoding) input["ContentEncoding"] = encoding;
  const metadata = Object.entries(request.headers).filter(([name]) => name.startsWith("x-amz-meta-"));
  if (metadata.length > 0)
    input["Metadata"] = Object.fromEntries(metadata.map(([name, value]) => [name.slice(11), value]));
  const { body, trailers } = isAwsChunked(request)
    ? decodeAwsChunked(request, signature, secretAccessKey)
    : { body: request.body, trailers: {} };
  const announced = request.headers["x-amz-trailer"]?.toLowerCase();
  if (announced !== undefined && !Object.hasOwn(trailers, announced))
    throw new ServiceError("MalformedTrailerError", 400, `The announced trailer ${announced} did not come.`);
  for (const algorithm of checksumAlgorithms) {
    const name = checksumHeaderOf(algorithm);
    const value = request.headers[name] ?? trailers[name];
    if (value !== undefined) input[`Checksum${algorithm}`] = value;
  }
  if (operation === "PutObject" || operation === "UploadPart") input["Body"] = body;
  else if (body.length > 0) Object.assign(input, readXmlBody(operation, body));
  return input;
}

function readXmlBody(operation: string, body: Uint8Array): object {
  const root = parseXml(Buffer.from(body).toString("utf8"));
  if (root === undefined) throw s3Error.malformedXml();
  switch (operation) {
    case "CreateBucket":
      return {
        CreateBucketConfiguration: { LocationConstraint: childText(root, "LocationConstraint") },
      };
    case "PutBucketVersioning":
      return { VersioningConfiguration: { Status: childText(root, "Status") } };
    case "DeleteObjects":
      return {
        Delete: {
          Quiet: childText(root, "Quiet") === "true",
          Objects: root.children
            .filter((child) => child.name === "Object")
            .map((child) => ({ Key: childText(child, "Key"), VersionId: childText(child, "VersionId") })),
        },
      };
    case "CompleteMultipartUpload":
      return {
        MultipartUpload: {
          Parts: root.children
            .filter((child) => child.name === "Part")
            .map((child) => ({
              PartNumber: Number(childText(child, "PartNumber")),
              ETag: childText(child, "ETag"),
            })),
        },
      };
    default:
      return {};
  }
}

/** Members of the outputs that travel as headers. */
const outputHeaders: Readonly<Record<string, string>> = {
  ETag: "etag",
  VersionId: "x-amz-version-id",
  ContentType: "content-type",
  CacheControl: "cache-control",
  ContentDisposition: "content-disposition",
  ContentEncoding: "content-encoding",
  ContentLanguage: "content-language",
  ContentRange: "content-range",
  ContentLength: "content-length",
  AcceptRanges: "accept-ranges",
  BucketRegion: "x-amz-bucket-region",
  ...Object.fromEntries(
    checksumAlgorithms.map((algorithm) => [`Checksum${algorithm}`, checksumHeaderOf(algorithm)]),
  ),
};

function writeOutput(operation: string, status: number, output: Output): HttpResponse {
  const value = isObject(output) ? output : {};
  const xml = xmlAnswer(operation, value);
  if (xml !== undefined)
    return {
      status,
      headers: { "content-type": "application/xml" },
      body: `<?xml version="1.0" encoding="UTF-8"?>\n${xml}`,
    };
  const headers: Record<string, string> = {};
  for (const [member, name] of Object.entries(outputHeaders)) {
    const item = value[member];
    if (typeof item === "string" || typeof item === "number") headers[name] = String(item);
  }
  if (value["DeleteMarker"] === true) headers["x-amz-delete-marker"] = "true";
  if (value["LastModified"] instanceof Date) headers["last-modified"] = value["LastModified"].toUTCString();
  if (operation === "CreateBucket") headers["location"] = String(value["Location"]);
  if (isObject(value["Metadata"]))
    for (const [name, text] of Object.entries(value["Metadata"]))
      headers[`x-amz-meta-${name}`] = String(text);
  const isPartial = value["ContentRange"] !== undefined;
  const body = value["Body"];
  return { status: isPartial ? 206 : status, headers, body: body instanceof Uint8Array ? body : "" };
}

import { s3Error } from "./errors.ts";

export interface S3Address {
  /** Empty for the service itself. */
  readonly bucket: string;
  /** Empty for the bucket itself. */
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
}

interface Route {
  readonly on: "service" | "bucket" | "object";
  readonly method: string;
  /** A query parameter that must be there. The first route that fits is taken. */
  readonly query?: string;
  readonly operation: string;
  readonly status: number;
}

const routes: readonly Route[] = [
  { on: "service", method: "GET", operation: "ListBuckets", status: 200 },
  { on: "bucket", method: "GET", query: "location", operation: "GetBucketLocation", status: 200 },
  { on: "bucket", method: "GET", query: "versioning", operation: "GetBucketVersioning", status: 200 },
  { on: "bucket", method: "GET", query: "versions", operation: "ListObjectVersions", status: 200 },
  { on: "bucket", method: "GET", query: "list-type", operation: "ListObjectsV2", status: 200 },
  { on: "bucket", method: "PUT", query: "versioning", operation: "PutBucketVersioning", status: 200 },
  { on: "bucket", method: "POST", query: "delete", operation: "DeleteObjects", status: 200 },
  { on: "bucket", method: "PUT", operation: "CreateBucket", status: 200 },
  { on: "bucket", method: "HEAD", operation: "HeadBucket", status: 200 },
  { on: "bucket", method: "DELETE", operation: "DeleteBucket", status: 204 },
  { on: "object", method: "POST", query: "uploads", operation: "CreateMultipartUpload", status: 200 },
  { on: "object", method: "POST", query: "uploadId", operation: "CompleteMultipartUpload", status: 200 },
  { on: "object", method: "PUT", query: "uploadId", operation: "UploadPart", status: 200 },
  { on: "object", method: "DELETE", query: "uploadId", operation: "AbortMultipartUpload", status: 204 },
  { on: "object", method: "GET", query: "uploadId", operation: "ListParts", status: 200 },
  { on: "object", method: "PUT", operation: "PutObject", status: 200 },
  { on: "object", method: "GET", operation: "GetObject", status: 200 },
  { on: "object", method: "HEAD", operation: "HeadObject", status: 200 },
  { on: "object", method: "DELETE", operation: "DeleteObject", status: 204 },
];

/** Subresources that exist in S3 but not here: a request for one must not be taken for the object itself. */
const subresources = new Set(
  "accelerate acl analytics attributes cors encryption intelligent-tiering inventory legal-hold lifecycle logging metrics notification object-lock ownershipControls policy policyStatus publicAccessBlock replication requestPayment restore retention select tagging torrent uploads website".split(
    " ",
  ),
);

export function findS3Operation(method: string, address: S3Address): { operation: string; status: number } {
  const on = address.bucket === "" ? "service" : address.key === "" ? "bucket" : "object";
  const route = routes.find(
    (route) =>
      route.on === on &&
      route.method === method &&
      (route.query === undefined || address.query.has(route.query)),
  );
  const foreign = [...address.query.keys()].find((name) => subresources.has(name) && name !== route?.query);
  if (foreign !== undefined) throw s3Error.notImplemented(`${method} ?${foreign}`);
  if (route === undefined) throw s3Error.notImplemented(`${method} of ${on === "object" ? "an object" : on}`);
  return route;
}

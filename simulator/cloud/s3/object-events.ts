import type { Instant } from "@coalmine/ports";
import type { CloudEvent } from "../service.ts";

/**
 * What S3 tells EventBridge of an object that was written or, without content, deleted.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
 */
export function objectEvent(
  content: { readonly sizeBytes: number; readonly etag: string } | undefined,
  bucket: string,
  key: string,
  versionId: string | undefined,
  at: Instant,
): CloudEvent {
  const version = versionId === undefined ? {} : { "version-id": versionId };
  const etag = content?.etag.replaceAll('"', "");
  const deletion = versionId === undefined ? "Permanently Deleted" : "Delete Marker Created";
  return {
    kind: "aws-event",
    source: "aws.s3",
    detailType: content === undefined ? "Object Deleted" : "Object Created",
    resources: [`arn:aws:s3:::${bucket}`],
    detail: {
      version: "0",
      bucket: { name: bucket },
      ...(content === undefined
        ? { object: { key, ...version }, reason: "DeleteObject", "deletion-type": deletion }
        : {
            object: { key, size: content.sizeBytes, etag, ...version },
            // The tag of an object made of parts says so.
            reason: etag?.includes("-") === true ? "CompleteMultipartUpload" : "PutObject",
          }),
    },
    at,
  };
}

import { createHash } from "node:crypto";
import type { S3Client, S3ClientConfig } from "@aws-sdk/client-s3";
import type { Objects } from "@coalmine/ports";
import { asked, clientSettings } from "./aws-error.ts";

/** Amazon S3. Endpoint and credentials come as the SDK finds them, on a device from the token exchange service. */
export function s3Objects(config: S3ClientConfig & { readonly region: string }): Objects {
  let client: S3Client | undefined;
  return {
    put: async ({ bucket, key, body, contentType, ifNoneMatch }) => {
      const sdk = await import("./s3-client.ts");
      const s3 = (client ??= new sdk.S3Client({ ...clientSettings, ...config }));
      const command = new sdk.PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: body,
        ContentType: contentType,
        ChecksumSHA256: createHash("sha256").update(body).digest("base64"),
        ...(ifNoneMatch ? { IfNoneMatch: "*" } : {}),
      });
      const answer = await asked(`putting s3://${bucket}/${key}`, () => s3.send(command));
      return { etag: answer.ETag ?? "" };
    },
  };
}

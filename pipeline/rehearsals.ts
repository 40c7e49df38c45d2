import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";

/** Where the reports of rehearsals lie in the home region's bucket of artifacts. */
export const REHEARSALS = "rehearsals";

export function rehearsalKey(commit: string): string {
  return `${REHEARSALS}/${commit}.json`;
}

/** Keeps what a rehearsal left in its folder, for whoever looks at the push; one that broke off may have left nothing. */
export async function keepRehearsal(
  s3: S3Client,
  bucket: string,
  commit: string,
  folder: string,
): Promise<void> {
  const file = join(folder, "report.json");
  if (!existsSync(file)) return;
  await s3.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: rehearsalKey(commit),
      Body: readFileSync(file),
      ContentType: "application/json",
    }),
  );
}

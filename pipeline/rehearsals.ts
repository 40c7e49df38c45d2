import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";

/** Where the reports of rehearsals lie in the home region's bucket of artifacts. */
export const REHEARSALS = "rehearsals";

/** What there is of a rehearsal: for programs, for people, and for whatever reads JUnit. */
export const rehearsalTypes = {
  json: "application/json",
  html: "text/html; charset=utf-8",
  xml: "application/xml; charset=utf-8",
} as const;
export type RehearsalType = keyof typeof rehearsalTypes;

export function rehearsalKey(commit: string, as: RehearsalType = "json"): string {
  return `${REHEARSALS}/${commit}.${as}`;
}

/** Keeps what a rehearsal left in its folder, for whoever looks at the push; one that broke off may have left nothing. */
export async function keepRehearsal(
  s3: S3Client,
  bucket: string,
  commit: string,
  folder: string,
): Promise<void> {
  // Whoever finds the report finds the others too.
  for (const as of ["html", "xml", "json"] as const) {
    const file = join(folder, `report.${as}`);
    if (!existsSync(file)) continue;
    await s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: rehearsalKey(commit, as),
        Body: readFileSync(file),
        ContentType: rehearsalTypes[as],
      }),
    );
  }
}

import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import * as z from "zod";

/** A person's recorded decision to let one push past a stage that refused it. */
export const Override = z.object({
  commit: z.string().regex(/^[0-9a-f]{7,40}$/),
  stage: z.literal("rehearse"),
  who: z.string().min(1).max(200),
  why: z.string().min(1).max(1000),
});
export type Override = z.infer<typeof Override>;

const key = (commit: string): string => `overrides/${commit}.json`;

export async function recordOverride(s3: S3Client, bucket: string, override: Override): Promise<void> {
  await s3.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: key(override.commit),
      Body: JSON.stringify(Override.parse(override)),
      ContentType: "application/json",
    }),
  );
}

export async function findOverride(
  s3: S3Client,
  bucket: string,
  commit: string,
): Promise<Override | undefined> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key(commit) }));
    return Override.parse(JSON.parse((await Body?.transformToString()) ?? ""));
  } catch (failure) {
    if (failure instanceof NoSuchKey) return undefined;
    throw failure;
  }
}

import { HeadObjectCommand, NotFound, type S3Client } from "@aws-sdk/client-s3";
import { git, GitError } from "../push/repository.ts";
import { releaseKey } from "../release.ts";

/** Whoever pushed more at once has everything checked. */
const COMMITS_MAX = 50;

/** The newest commit before the checkout's that was published: it came through every stage that this one has before it. */
export async function lastPublished(
  folder: string,
  s3: S3Client,
  bucket: string,
): Promise<string | undefined> {
  for (const commit of commitsBefore(folder)) if (await isPublished(commit, s3, bucket)) return commit;
  return undefined;
}

function commitsBefore(folder: string): string[] {
  try {
    return git(folder, "rev-list", `--max-count=${COMMITS_MAX}`, "HEAD~1").split("\n");
  } catch (failure) {
    // The first commit of all has none.
    if (failure instanceof GitError) return [];
    throw failure;
  }
}

async function isPublished(commit: string, s3: S3Client, bucket: string): Promise<boolean> {
  try {
    await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: releaseKey(commit) }));
    return true;
  } catch (failure) {
    if (failure instanceof NotFound) return false;
    throw failure;
  }
}

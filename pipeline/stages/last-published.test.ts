import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { Closing } from "@coalmine/runtime";
import { withoutGit } from "@coalmine/runtime/without-git";
import { afterAll, beforeAll, expect, test } from "vitest";
import { operator } from "../../simulator/cloud/protocol/test-cloud.ts";
import { startCloud } from "../../test/rig-cloud.ts";
import { releaseKey } from "../release.ts";
import { lastPublished } from "./last-published.ts";

const closing = new Closing();
const folder = mkdtempSync(join(tmpdir(), "coalmine-published-"));
const Bucket = "artifacts";
let s3: S3Client;
beforeAll(async () => {
  const { endpoint, region } = await startCloud(closing, "home", "us-east-1");
  const { accessKeyId, secretAccessKey } = operator;
  s3 = closing.add(
    new S3Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true }),
    (client) => client.destroy(),
  );
  await s3.send(new CreateBucketCommand({ Bucket }));
});
afterAll(async () => {
  await closing.close();
  rmSync(folder, { recursive: true, force: true });
});

const git = (...words: string[]): string =>
  execFileSync("git", words, { cwd: folder, env: withoutGit(process.env), encoding: "utf8" }).trim();
function commit(): string {
  git(
    "-c",
    "user.name=t",
    "-c",
    "user.email=t@example.com",
    "commit",
    "--quiet",
    "--allow-empty",
    "-m",
    "one",
  );
  return git("rev-parse", "HEAD");
}
const published = (): Promise<string | undefined> => lastPublished(folder, s3, Bucket);
const publish = (of: string) => s3.send(new PutObjectCommand({ Bucket, Key: releaseKey(of), Body: "{}" }));

test("a push is compared with the last commit before it that was published, whatever came between", async () => {
  git("init", "--quiet");
  const first = commit();
  expect(await published()).toBeUndefined();
  const second = commit();
  expect(await published(), "nothing was published").toBeUndefined();
  await publish(first);
  expect(await published()).toBe(first);
  await publish(second);
  expect(await published(), "a commit is not compared with itself").toBe(first);
  // What did not come through, or was pushed together with this.
  commit();
  commit();
  expect(await published()).toBe(second);
});

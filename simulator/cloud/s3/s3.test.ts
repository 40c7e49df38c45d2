import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { operator, startTestCloud, type TestCloud } from "../protocol/test-cloud.ts";
import { presignGet } from "./presign.ts";

let cloud: TestCloud;
let s3: S3Client;
beforeAll(async () => {
  cloud = await startTestCloud();
  s3 = new S3Client(cloud.client);
  await s3.send(new CreateBucketCommand({ Bucket: "lake" }));
});
afterAll(async () => {
  s3.destroy();
  await cloud.close();
});
const put = (Key: string, Body: string | Uint8Array, more: object = {}) =>
  s3.send(new PutObjectCommand({ Bucket: "lake", Key, Body, ...more }));
const get = async (Key: string, more: object = {}) => {
  const answer = await s3.send(new GetObjectCommand({ Bucket: "lake", Key, ...more }));
  return { ...answer, bytes: Buffer.from((await answer.Body?.transformToByteArray()) ?? []) };
};

test("an object comes back as it was put, with its type, metadata, tag and checksum", async () => {
  const body = randomBytes(100_000);
  const answer = await put("a.bin", body, {
    ContentType: "application/x-test",
    Metadata: { Release: "7" },
  });
  expect(answer.ETag).toBe(`"${createHash("md5").update(body).digest("hex")}"`);
  const back = await get("a.bin", { ChecksumMode: "ENABLED" });
  expect(back.bytes.equals(body)).toBe(true);
  expect(back.ContentType).toBe("application/x-test");
  expect(back.Metadata).toEqual({ release: "7" });
  expect(back.ChecksumCRC32).toBeTypeOf("string");
  const head = await s3.send(new HeadObjectCommand({ Bucket: "lake", Key: "a.bin" }));
  expect(head.ContentLength).toBe(body.length);
});

test.each(["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const)(
  "a streamed body with a %s trailer is stored without its framing, and checked",
  async (ChecksumAlgorithm) => {
    const body = randomBytes(150_000);
    await s3.send(
      new PutObjectCommand({
        Bucket: "lake",
        Key: `stream-${ChecksumAlgorithm}`,
        Body: Readable.from([body.subarray(0, 70_000), body.subarray(70_000)]),
        ContentLength: body.length,
        ChecksumAlgorithm,
      }),
    );
    // The SDK verifies the checksum of the answer itself.
    const back = await get(`stream-${ChecksumAlgorithm}`, { ChecksumMode: "ENABLED" });
    expect(back.bytes.equals(body)).toBe(true);
    expect(back[`Checksum${ChecksumAlgorithm}`]).toBeTypeOf("string");
  },
);

test("a checksum that does not fit is refused and nothing is stored", async () => {
  await expect(put("bad", "hello", { ChecksumSHA256: "A".repeat(43) + "=" })).rejects.toMatchObject({
    name: "BadDigest",
  });
  await expect(get("bad")).rejects.toMatchObject({ name: "NoSuchKey" });
});

test("If-None-Match: * writes once, also when two write at the same time", async () => {
  const writes = await Promise.allSettled(
    Array.from({ length: 8 }, (_, n) => put("once", `writer ${n}`, { IfNoneMatch: "*" })),
  );
  expect(writes.filter((write) => write.status === "fulfilled")).toHaveLength(1);
  const refused = writes.find((write) => write.status === "rejected");
  expect(refused?.reason).toMatchObject({ name: "PreconditionFailed", $metadata: { httpStatusCode: 412 } });
});

test.each([
  "../../etc/passwd",
  "a/../b",
  "a//b",
  "a%2Fb",
  "./x",
  "ключ/ø/日本語 🚀",
  "space and + plus",
  "q?x=1&y=2#z",
  "trailing/",
])("the key %j is taken exactly", async (key) => {
  await put(key, `body of ${key}`);
  expect((await get(key)).bytes.toString()).toBe(`body of ${key}`);
  const listed = await s3.send(new ListObjectsV2Command({ Bucket: "lake", Prefix: key }));
  expect(listed.Contents?.map((object) => object.Key)).toContain(key);
  await s3.send(new DeleteObjectCommand({ Bucket: "lake", Key: key }));
  await expect(get(key)).rejects.toMatchObject({ name: "NoSuchKey" });
});

test("a key over 1,024 bytes is refused", async () => {
  await expect(put("é".repeat(513), "x")).rejects.toMatchObject({ name: "KeyTooLongError" });
});

test("ranges give those bytes, and one outside is refused", async () => {
  await put("range", "0123456789");
  const part = await get("range", { Range: "bytes=2-4" });
  expect(part.bytes.toString()).toBe("234");
  expect(part.ContentRange).toBe("bytes 2-4/10");
  expect((await get("range", { Range: "bytes=7-" })).bytes.toString()).toBe("789");
  expect((await get("range", { Range: "bytes=-3" })).bytes.toString()).toBe("789");
  expect((await get("range", { Range: "bytes=8-99" })).bytes.toString()).toBe("89");
  await expect(get("range", { Range: "bytes=10-" })).rejects.toMatchObject({ name: "InvalidRange" });
});

test("lists in byte order, in pages, folded at the delimiter", async () => {
  const keys = ["l/a", "l/b/1", "l/b/2", "l/c", "l/\u{1F680}", "l/\uFFFD"];
  for (const key of keys) await put(key, "x");
  const seen: string[] = [];
  let token: string | undefined;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket: "lake", Prefix: "l/", MaxKeys: 2, ContinuationToken: token }),
    );
    seen.push(...(page.Contents ?? []).map((object) => object.Key ?? ""));
    token = page.NextContinuationToken;
  } while (token !== undefined);
  expect(seen).toEqual([...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
  const folded = await s3.send(new ListObjectsV2Command({ Bucket: "lake", Prefix: "l/", Delimiter: "/" }));
  expect(folded.CommonPrefixes).toEqual([{ Prefix: "l/b/" }]);
  expect(folded.Contents?.map((object) => object.Key)).not.toContain("l/b/1");
});

test("versions are kept, a delete leaves a marker, and a version deleted by name is gone", async () => {
  await s3.send(new CreateBucketCommand({ Bucket: "versioned" }));
  await s3.send(
    new PutBucketVersioningCommand({
      Bucket: "versioned",
      VersioningConfiguration: { Status: "Enabled" },
    }),
  );
  expect((await s3.send(new GetBucketVersioningCommand({ Bucket: "versioned" }))).Status).toBe("Enabled");
  const write = (Body: string) => s3.send(new PutObjectCommand({ Bucket: "versioned", Key: "k", Body }));
  const first = await write("one");
  await write("two");
  const marker = await s3.send(new DeleteObjectCommand({ Bucket: "versioned", Key: "k" }));
  expect(marker.DeleteMarker).toBe(true);
  const read = (VersionId?: string) =>
    s3.send(new GetObjectCommand({ Bucket: "versioned", Key: "k", VersionId }));
  await expect(read()).rejects.toMatchObject({ name: "NoSuchKey" });
  expect(await (await read(first.VersionId)).Body?.transformToString()).toBe("one");
  const versions = await s3.send(new ListObjectVersionsCommand({ Bucket: "versioned" }));
  expect(versions.Versions).toHaveLength(2);
  expect(versions.DeleteMarkers).toMatchObject([{ Key: "k", IsLatest: true, VersionId: marker.VersionId }]);
  await s3.send(new DeleteObjectCommand({ Bucket: "versioned", Key: "k", VersionId: marker.VersionId }));
  expect(await (await read()).Body?.transformToString()).toBe("two");
  await expect(s3.send(new DeleteBucketCommand({ Bucket: "versioned" }))).rejects.toMatchObject({
    name: "BucketNotEmpty",
  });
});

test("uploads in parts become one object", async () => {
  const target = { Bucket: "lake", Key: "big" };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(target));
  const bodies = [randomBytes(5 * 1024 * 1024), randomBytes(1000)];
  const Parts = [];
  for (const [index, Body] of bodies.entries()) {
    const part = await s3.send(new UploadPartCommand({ ...target, UploadId, PartNumber: index + 1, Body }));
    Parts.push({ PartNumber: index + 1, ETag: part.ETag });
  }
  const done = await s3.send(
    new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }),
  );
  expect(done.ETag).toMatch(/-2"$/);
  expect((await get("big")).bytes.equals(Buffer.concat(bodies))).toBe(true);
});

test("deletes many at once", async () => {
  await put("d/1", "same bytes");
  await put("d/2", "same bytes");
  const answer = await s3.send(
    new DeleteObjectsCommand({
      Bucket: "lake",
      Delete: { Objects: [{ Key: "d/1" }, { Key: "never & <was>" }] },
    }),
  );
  expect(answer.Deleted?.map((one) => one.Key)).toEqual(["d/1", "never & <was>"]);
  // The bytes are shared: what is left must still have them.
  expect((await get("d/2")).bytes.toString()).toBe("same bytes");
});

test("a pre-signed URL reads without credentials until it expires, and only what it was signed for", async () => {
  await put("pre signed/ø", "for you");
  const url = (now: number) =>
    presignGet({
      endpoint: cloud.endpoint,
      region: "us-east-1",
      bucket: "lake",
      key: "pre signed/ø",
      expiresSeconds: 60,
      now,
      credentials: operator,
    });
  const fresh = url(Date.now());
  expect(await (await fetch(fresh)).text()).toBe("for you");
  const ranged = await fetch(fresh, { headers: { range: "bytes=0-2" } });
  expect([ranged.status, await ranged.text()]).toEqual([206, "for"]);
  const late = await fetch(url(Date.now() - 61_000));
  expect([late.status, await late.text()]).toEqual([403, expect.stringContaining("Request has expired")]);
  expect((await fetch(fresh.replace("pre%20signed", "other"))).status).toBe(403);
  expect((await fetch(fresh, { method: "PUT", body: "x" })).status).toBe(403);
});

test("location is empty in us-east-1, and what is not simulated says so", async () => {
  const location = await s3.send(new GetBucketLocationCommand({ Bucket: "lake" }));
  expect(location.LocationConstraint).toBeUndefined();
  const { ListBucketInventoryConfigurationsCommand } = await import("@aws-sdk/client-s3");
  await expect(
    s3.send(new ListBucketInventoryConfigurationsCommand({ Bucket: "lake" })),
  ).rejects.toMatchObject({ name: "NotImplemented" });
});

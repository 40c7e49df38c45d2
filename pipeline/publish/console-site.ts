import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { messageOf } from "@coalmine/runtime";
import { PublishError } from "./publish-error.ts";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};

/** A file of the built console, and what whoever serves it says of it. */
export interface SiteFile {
  /** Below the site's root, without a slash before it. */
  readonly path: string;
  readonly file: string;
  readonly type: string;
  readonly cacheControl: string;
}

/** Every file of a built console; `index.html`, which names the others, is the last one. None where nothing is built. */
export function siteFiles(folder: string): SiteFile[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => {
      const path = relative(folder, file).split(sep).join("/");
      return {
        path,
        file,
        type: types[extname(file)] ?? "application/octet-stream",
        // The names of parts hold their hashes.
        cacheControl: path.startsWith("parts/") ? "public, max-age=31536000, immutable" : "no-cache",
      };
    })
    .sort((a, b) => Number(a.path === "index.html") - Number(b.path === "index.html"));
}

/**
 * Copies a built console into the bucket that is served. The page comes last, so that nobody gets one whose parts are not
 * there yet; parts of former ones stay for whoever still has them open. Nothing has to be invalidated: what may change
 * under its name is asked for again each time. May be repeated after any failure. Gives how many were copied.
 */
export async function copySite(folder: string, s3: S3Client, bucket: string): Promise<number> {
  const files = siteFiles(folder);
  if (files.at(-1)?.path !== "index.html")
    throw new PublishError("ERR_PUBLISH_REFUSED", `${folder} holds no built console; run console/build.ts`);
  for (const { path, file, type, cacheControl } of files)
    try {
      await s3.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: path,
          Body: await readFile(file),
          ContentType: type,
          CacheControl: cacheControl,
        }),
      );
    } catch (failure) {
      throw new PublishError(
        "ERR_PUBLISH_REFUSED",
        `s3://${bucket}/${path} could not be written: ${messageOf(failure)}; check the stage's rights and the bucket's name`,
        { cause: failure },
      );
    }
  return files.length;
}

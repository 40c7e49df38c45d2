import { GetObjectCommand, ListObjectsV2Command, NoSuchKey } from "@aws-sdk/client-s3";
import { RehearsalReport, type Rehearsals } from "@coalmine/contract/operator-api";
import * as z from "zod";
import { rehearsalKey, REHEARSALS, rehearsalTypes } from "../pipeline/rehearsals.ts";
import type { Region } from "../pipeline/controller/region.ts";
import { ApiError } from "./api-error.ts";
import { type Api, parseInput } from "./api.ts";

const LISTED_MAX = 20;
const Commit = z.string().regex(/^[0-9a-zA-Z]{7,64}$/, "a commit is 7 to 64 letters and digits");

/** The latest rehearsals of the home region, newest first. */
export async function listRehearsals({ kept }: Api, { s3, target }: Region): Promise<Rehearsals> {
  const { Contents = [] } = await s3.send(
    new ListObjectsV2Command({ Bucket: target.artifactBucket, Prefix: `${REHEARSALS}/` }),
  );
  const newest = Contents.filter(({ Key = "" }) => Key.endsWith(".json")).toSorted(
    (a, b) => (b.LastModified?.getTime() ?? 0) - (a.LastModified?.getTime() ?? 0),
  );
  const rehearsals: RehearsalReport[] = [];
  for (const { Key = "" } of newest.slice(0, LISTED_MAX)) {
    const report = await kept.read(Key, RehearsalReport);
    if (report !== undefined) rehearsals.push(report);
  }
  return {
    rehearsals: rehearsals
      .map(({ commit, atMs, passed, verdict }) => ({ commit, atMs, passed, verdict }))
      .sort((a, b) => b.atMs - a.atMs),
  };
}

const FileQuery = z.object({ as: z.enum(["html", "xml", "json"]).default("html") });

/** Its page, or the file that whatever reads JUnit takes. @throws ApiError where none was kept */
export async function rehearsalFile(
  { s3, target }: Region,
  commit: string,
  query: unknown,
): Promise<{ readonly name: string; readonly type: string; readonly text: string }> {
  const { as } = parseInput(FileQuery, query);
  const Key = rehearsalKey(parseInput(Commit, commit), as);
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: target.artifactBucket, Key }));
    const text = (await Body?.transformToString()) ?? "";
    return { name: `rehearsal-${commit}.${as}`, type: rehearsalTypes[as], text };
  } catch (failure) {
    if (!(failure instanceof NoSuchKey)) throw failure;
    throw new ApiError(
      "ERR_API_NOT_FOUND",
      `no ${as} of a rehearsal of ${commit} was kept; it rehearses when it is pushed`,
    );
  }
}

/** @throws ApiError where that commit was not rehearsed. */
export async function showRehearsal({ kept }: Api, commit: string): Promise<RehearsalReport> {
  const report = await kept.read(rehearsalKey(parseInput(Commit, commit)), RehearsalReport);
  if (report !== undefined) return report;
  throw new ApiError(
    "ERR_API_NOT_FOUND",
    `no rehearsal of ${commit} was kept; it rehearses when it is pushed`,
  );
}

import * as z from "zod";
import { anyCase } from "./case-insensitive.ts";
import { type RuleParams, textWith } from "./rule.ts";

export type PermissionLevel = "NONE" | "OWNER" | "ALL";

export interface Artifact {
  readonly uri: string;
  readonly unarchive: "NONE" | "ZIP";
  /** Who may execute may also read: `read` is never below `execute`. */
  readonly permission: { readonly read: PermissionLevel; readonly execute: PermissionLevel };
  /** Base64 of the hash. Set by the cloud when the component version is created, never by an author. */
  readonly digest?: string;
  readonly algorithm?: string;
}

const schemes = ["s3", "greengrass", "docker"];
const uriRule = (code: RuleParams["code"]): RuleParams => ({
  code,
  remedy: "write s3://bucket/key, greengrass:file or docker:image",
});

const uri = z
  .string({ error: "must be text" })
  .refine((text) => text.trim() !== "", {
    error: "must not be empty",
    params: { ...uriRule("EMPTY_ARTIFACT_URI") },
    abort: true,
  })
  .refine((text) => /^[^/]+:/.test(text), {
    error: "must begin with a scheme",
    params: { ...uriRule("EMPTY_ARTIFACT_SCHEME") },
    abort: true,
  })
  .refine((text) => schemes.includes(text.split(":", 1)[0]?.toLowerCase() ?? ""), {
    error: `must have one of the schemes ${schemes.join(", ")}`,
    params: { ...uriRule("UNSUPPORTED_ARTIFACT_SCHEME") },
    abort: true,
  })
  .pipe(
    textWith(
      (text) => !/^s3:/i.test(text) || /^s3:\/\/[^/]+\/.*[^/]$/i.test(text),
      "must name a bucket and a key",
      uriRule("ARTIFACT_URI_NOT_VALID"),
    ),
  );

const word = <const Word extends string>(words: readonly [Word, ...Word[]]) =>
  z.preprocess(
    (value) => (typeof value === "string" ? value.toUpperCase() : value),
    z.enum(words, { error: `must be one of ${words.join(", ")}` }),
  );
const level = word(["NONE", "OWNER", "ALL"]);

export const ArtifactSchema = anyCase({
  Uri: uri,
  Unarchive: word(["NONE", "ZIP"]).optional(),
  Permission: anyCase({ Read: level.optional(), Execute: level.optional() }).optional(),
  Digest: z.string({ error: "must be text" }).optional(),
  Algorithm: z.string({ error: "must be text" }).optional(),
}).transform(({ Uri, Unarchive, Permission, Digest, Algorithm }): Artifact => {
  const execute = Permission?.Execute ?? "NONE";
  return {
    uri: Uri,
    unarchive: Unarchive ?? "NONE",
    permission: { read: wider(Permission?.Read ?? "OWNER", execute), execute },
    ...(Digest === undefined ? {} : { digest: Digest }),
    ...(Algorithm === undefined ? {} : { algorithm: Algorithm }),
  };
});

function wider(a: PermissionLevel, b: PermissionLevel): PermissionLevel {
  return a === "ALL" || b === "ALL" ? "ALL" : a === "OWNER" || b === "OWNER" ? "OWNER" : "NONE";
}

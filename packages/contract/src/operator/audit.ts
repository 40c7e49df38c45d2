import * as z from "zod";

export const AuditEntry = z.object({
  sequence: z.int(),
  /** Missing, as `kind` is, where the entry was changed and cannot be read any more. */
  atMs: z.number().optional(),
  kind: z.string().optional(),
  /** As it is stored: the next entry's `previous` is its hash. */
  text: z.string(),
  sha256: z.string(),
});

/** The whole log of one rollout: it opens, and can be verified, without us. */
export const Audit = z.object({
  rollout: z.string(),
  ok: z.boolean(),
  because: z.string().optional(),
  entries: z.array(AuditEntry),
});
export type Audit = z.infer<typeof Audit>;

/** A line of the log for people. */
export const AuditLine = z.object({
  rollout: z.string(),
  sequence: z.int(),
  atMs: z.number(),
  kind: z.string(),
  /** A person; missing where the controller wrote what it saw or did. */
  who: z.string().optional(),
  reason: z.string().optional(),
  sentence: z.string(),
});
export type AuditLine = z.infer<typeof AuditLine>;

export const AuditQuery = z.strictObject({
  rollout: z.string().max(100).optional(),
  who: z.string().max(200).optional(),
  /** In any part of the line. */
  text: z.string().max(100).optional(),
  /** Only what people did. */
  people: z.enum(["true", "false"]).default("false"),
  limit: z.coerce.number().int().min(1).max(1000).default(200),
});
export type AuditQuery = z.infer<typeof AuditQuery>;

export const AuditLog = z.object({
  /** Newest first. */
  lines: z.array(AuditLine).readonly(),
  /** Of each rollout in it: whether its chain holds. `head` is the hash to write down elsewhere. */
  verified: z
    .array(
      z.object({
        rollout: z.string(),
        ok: z.boolean(),
        entries: z.int(),
        head: z.string().optional(),
        because: z.string().optional(),
      }),
    )
    .readonly(),
  /** There are more lines. */
  more: z.boolean(),
});
export type AuditLog = z.infer<typeof AuditLog>;

/** As what the log is exported: `json` is `Audit`, the others are for people and tables. */
export const ExportFormat = z.enum(["json", "csv", "html"]);
export type ExportFormat = z.infer<typeof ExportFormat>;

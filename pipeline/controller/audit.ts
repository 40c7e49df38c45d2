import { createHash } from "node:crypto";
import * as z from "zod";
import { ReleaseManifest } from "../release.ts";
import { Evidence } from "../rollout/evidence.ts";
import { RolloutPlan } from "../rollout/plan.ts";

const Times = z.record(z.string(), z.number());

/** What happened to a rollout, once and for good: its state is made of these, and so is the audit log. */
export const RolloutRecord = z.discriminatedUnion("kind", [
  /** The first of most rollouts. */
  z.object({
    kind: z.literal("planned"),
    pipeline: z.string(),
    executionId: z.string(),
    release: ReleaseManifest,
    /** The policy it goes by, as text. */
    policy: z.string(),
    plan: RolloutPlan,
    startedAt: Times,
  }),
  z.object({ kind: z.literal("told"), evidence: z.array(Evidence), now: Times }),
  /** A person let the push past a stage that refused it. */
  z.object({ kind: z.literal("override"), stage: z.string(), who: z.string(), why: z.string() }),
  /** The fleet runs this release already. */
  z.object({
    kind: z.literal("nothingToDo"),
    executionId: z.string(),
    commit: z.string(),
    because: z.string(),
  }),
  /** No plan could be made, so no device was touched. */
  z.object({ kind: z.literal("refused"), executionId: z.string(), commit: z.string(), because: z.string() }),
  /** The first release of a fleet, which nothing could be compared with. */
  z.object({
    kind: z.literal("installedFirst"),
    who: z.string(),
    release: ReleaseManifest,
    deployments: z.array(z.object({ target: z.string(), group: z.string(), deploymentId: z.string() })),
  }),
]);
export type RolloutRecord = z.infer<typeof RolloutRecord>;

const Entry = z.object({
  rollout: z.string(),
  sequence: z.int().nonnegative(),
  /** SHA-256 of the entry before, as text; zeros for the first. */
  previous: z.string().length(64),
  /** On the home region's clock. */
  atMs: z.number(),
  record: RolloutRecord,
});
export type Entry = z.infer<typeof Entry>;

/** An entry as it is stored: its text is what the next one's `previous` is the hash of. */
export interface StoredEntry {
  readonly rollout: string;
  readonly sequence: number;
  readonly text: string;
  /** Of `text`, so that a change of the last entry shows as well. */
  readonly sha256: string;
}

export const NO_PREVIOUS = "0".repeat(64);

export function storedEntry(entry: Entry): StoredEntry {
  const text = JSON.stringify(entry);
  return { rollout: entry.rollout, sequence: entry.sequence, text, sha256: hashOf(text) };
}

export function readEntry(stored: StoredEntry): Entry {
  return Entry.parse(JSON.parse(stored.text));
}

export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

export type AuditFinding =
  /** `head` is the hash of the last entry: written down elsewhere, it also proves that none was cut off. */
  | { readonly ok: true; readonly entries: number; readonly head: string }
  /** `sequence` is the number of the entry that is missing, or is not what was written. */
  | { readonly ok: false; readonly sequence: number; readonly because: string };

/**
 * Follows the chain from the first entry: each holds the hash of the one before. Whoever may write could write the whole
 * log anew; a hash that was `noted` elsewhere, of any entry, shows that as well.
 */
export function verifyAudit(entries: readonly StoredEntry[], noted?: string): AuditFinding {
  let head = NO_PREVIOUS;
  for (const [index, stored] of entries.entries()) {
    const fail = (because: string, sequence = index): AuditFinding => ({ ok: false, sequence, because });
    if (stored.sequence < index) return fail(`entry ${stored.sequence} stands there twice`, stored.sequence);
    if (stored.sequence > index)
      return fail(
        `entry ${index} is missing: ${index === 0 ? "the first" : `after ${index - 1}`} is ${stored.sequence}`,
      );
    if (hashOf(stored.text) !== stored.sha256) return fail(`entry ${index} was changed after it was written`);
    const entry = Entry.safeParse(safeJson(stored.text));
    if (!entry.success) return fail(`entry ${index} cannot be read`);
    const { sequence, rollout, previous } = entry.data;
    if (sequence !== index || rollout !== stored.rollout)
      return fail(`entry ${index} says that it is entry ${sequence} of rollout ${rollout}`);
    if (previous !== head)
      return index === 0
        ? fail(`entry 0 names ${previous.slice(0, 12)}… as the one before it, and there is none`)
        : fail(
            `entry ${index - 1} was replaced: entry ${index} names ${previous.slice(0, 12)}… as its hash, which is ${head.slice(0, 12)}…`,
            index - 1,
          );
    head = stored.sha256;
  }
  if (noted !== undefined && noted !== NO_PREVIOUS && !entries.some(({ sha256 }) => sha256 === noted))
    return {
      ok: false,
      sequence: entries.length,
      because: `no entry has the hash ${noted.slice(0, 12)}… that was noted: entries after ${entries.length - 1} were cut off, or the log was written anew`,
    };
  return { ok: true, entries: entries.length, head };
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

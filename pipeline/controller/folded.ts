import { invariant } from "@coalmine/runtime";
import { next } from "../rollout/next.ts";
import { startRollout, type Rollout } from "../rollout/state.ts";
import { readEntry, type RolloutRecord, type StoredEntry } from "./audit.ts";
import type { RolloutLog } from "./rollout-log.ts";

type Planned = Extract<RolloutRecord, { kind: "planned" }>;

/** A look as the log has it. */
export interface PastLook {
  readonly elapsedMs: number;
  readonly digest: string;
  readonly verdict: string;
  readonly because: string;
}

/** A rollout as its events make it. */
export interface FoldedRollout {
  readonly id: string;
  readonly last: StoredEntry;
  readonly first: RolloutRecord;
  /** Undefined where no plan was made. */
  readonly planned: { readonly record: Planned; readonly rollout: Rollout } | undefined;
  /** Target → its looks, in order. */
  readonly looks: Readonly<Record<string, readonly PastLook[]>>;
  readonly overrides: readonly { stage: string; who: string; why: string }[];
}

/** Reads a rollout; undefined where there is none of that name. `known` saves reading and thinking again. */
export async function readRollout(
  log: RolloutLog,
  id: string,
  known?: FoldedRollout,
): Promise<FoldedRollout | undefined> {
  const entries = await log.entries(id, known === undefined ? 0 : known.last.sequence + 1);
  let folded = known;
  for (const entry of entries) folded = foldEntry(folded, entry);
  return folded;
}

/** The rollout after one more event. */
export function foldEntry(before: FoldedRollout | undefined, stored: StoredEntry): FoldedRollout {
  invariant(
    stored.sequence === (before?.last.sequence ?? -1) + 1,
    `event ${stored.sequence} of ${stored.rollout} does not follow ${before?.last.sequence ?? "nothing"}`,
  );
  const { record } = readEntry(stored);
  if (before === undefined) {
    const planned =
      record.kind === "planned"
        ? { record, rollout: startRollout(record.plan, record.startedAt) }
        : undefined;
    return { id: stored.rollout, last: stored, first: record, planned, looks: {}, overrides: [] };
  }
  const after = { ...before, last: stored };
  if (record.kind === "override")
    return {
      ...after,
      overrides: [...before.overrides, { stage: record.stage, who: record.who, why: record.why }],
    };
  if (record.kind !== "told" || before.planned === undefined) return after;
  const looks = { ...before.looks };
  for (const one of record.evidence)
    if (one.kind === "look")
      looks[one.target] = [
        ...(looks[one.target] ?? []),
        { elapsedMs: one.elapsedMs, digest: one.digest, verdict: one.verdict, because: one.because },
      ];
  const { rollout } = next(before.planned.rollout, record.evidence, record.now);
  return { ...after, looks, planned: { ...before.planned, rollout } };
}

/** Whether nothing is left to do. */
export function isFinished({ planned }: FoldedRollout): boolean {
  return (
    planned === undefined ||
    (planned.rollout.phase.phase === "done" && Object.keys(planned.rollout.outbox).length === 0)
  );
}

import { readEntry, type StoredEntry } from "../../pipeline/controller/audit.ts";

/**
 * When the judge first had a verdict about a target that it did not take back, by the audit log: ms since the epoch on
 * the home region's clock; undefined where none came.
 */
export function verdictAtMs(entries: readonly StoredEntry[], target: string): number | undefined {
  let atMs: number | undefined;
  for (const stored of entries) {
    const entry = readEntry(stored);
    if (entry.record.kind !== "told") continue;
    for (const evidence of entry.record.evidence) {
      if (evidence.kind !== "look" || evidence.target !== target) continue;
      atMs = evidence.verdict === "WAIT" ? undefined : (atMs ?? entry.atMs);
    }
  }
  return atMs;
}

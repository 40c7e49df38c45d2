import { MINUTE_MS, type EvidenceStore } from "./evidence-store.ts";
import { SILENT_AFTER_MS, takeRow, type Tally } from "./tally.ts";

/** What was heard of a target's devices lately: of each that is not silent its last heartbeat. */
export async function recentTally(store: Pick<EvidenceStore, "minute">, nowMs: number): Promise<Tally> {
  const tally: Tally = {};
  const fromMs = nowMs - SILENT_AFTER_MS;
  for (let minute = Math.floor(fromMs / MINUTE_MS); minute <= Math.floor(nowMs / MINUTE_MS); minute++)
    for (const row of await store.minute(minute)) takeRow(tally, row, fromMs);
  return tally;
}

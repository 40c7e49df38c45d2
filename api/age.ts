import type { Age } from "@coalmine/contract/operator-api";
import { SILENT_AFTER_MS } from "../pipeline/evidence/tally.ts";

/** The age of a value on its fleet's clock: what is older than a silence that counts is too old to decide on. */
export function ageOf(atMs: number, nowMs: number): Age {
  const ageMs = Math.max(0, nowMs - atMs);
  return { atMs, ageMs, stale: ageMs > SILENT_AFTER_MS };
}

import type { Clock, Log } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { DrivenRegion } from "./driven-region.ts";

const STEP_MS = 1000;
/** What was missed while steps failed is made up for, up to this much. */
const BEHIND_MS_MAX = 600_000;

/**
 * Lets a driven region live at the wall's pace until `signal` aborts: a second of its own for each of ours, from
 * wherever it stands. Whoever waits for its future (the controller) moves it on faster, and is never taken back. What
 * a step that fails should have brought is asked for again: a region that is gone is somebody else's to notice.
 */
export async function followTheWall(
  driven: Pick<DrivenRegion, "control">,
  clock: Clock,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  let steppedMs = clock.monotonicMs();
  while (!signal.aborted) {
    await clock.sleep(STEP_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    const nowMs = clock.monotonicMs();
    try {
      await driven.control("advance", { ms: Math.min(BEHIND_MS_MAX, Math.round(nowMs - steppedMs)) });
      steppedMs = nowMs;
    } catch (failure) {
      if (!signal.aborted) log.warn("the driven region could not move on", { why: messageOf(failure) });
    }
  }
}

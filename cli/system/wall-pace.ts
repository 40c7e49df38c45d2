import type { Clock, Log } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { DrivenRegion } from "./driven-region.ts";

const STEP_MS = 1000;

/**
 * Lets a driven region live at the wall's pace until `signal` aborts: a second of its own for each of ours, from
 * wherever it stands. Whoever waits for its future (the controller) moves it on faster, and is never taken back. A step
 * that fails is told and tried again: a region that is gone is somebody else's to notice.
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
      await driven.control("advance", { ms: Math.round(nowMs - steppedMs) });
    } catch (failure) {
      if (!signal.aborted) log.warn("the driven region could not move on", { why: messageOf(failure) });
    }
    steppedMs = nowMs;
  }
}

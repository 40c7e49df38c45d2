import type { Clock } from "@coalmine/ports";

/** Calls `task` each `intervalMs` on a fixed schedule, one at a time; what a slow task overran is left out. */
export function every(
  clock: Clock,
  intervalMs: () => number,
  task: () => Promise<void>,
  failed: (failure: unknown) => void,
): { stop(): void } {
  let isStopped = false;
  let dueMs = clock.monotonicMs() + intervalMs();
  let timer = clock.timer(intervalMs(), fire);
  function fire(): void {
    void task()
      .catch(failed)
      .then(() => {
        if (isStopped) return;
        const nowMs = clock.monotonicMs();
        dueMs = Math.max(dueMs + intervalMs(), nowMs);
        timer = clock.timer(dueMs - nowMs, fire);
      });
  }
  return {
    stop() {
      isStopped = true;
      timer.cancel();
    },
  };
}

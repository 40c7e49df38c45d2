import type { Clock } from "@coalmine/ports";

/** Calls `task` again and again, one at a time, each time so long after the last as `nextMs` says when that is done. */
export function every(
  clock: Clock,
  nextMs: () => number,
  task: () => Promise<void>,
  failed: (failure: unknown) => void,
): { stop(): void } {
  let isStopped = false;
  let timer = clock.timer(nextMs(), fire);
  function fire(): void {
    void task()
      .catch(failed)
      .then(() => {
        if (!isStopped) timer = clock.timer(nextMs(), fire);
      });
  }
  return {
    stop() {
      isStopped = true;
      timer.cancel();
    },
  };
}

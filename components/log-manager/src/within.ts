import type { Clock } from "@coalmine/ports";

/** Resolves when `asked` is settled, and after `durationMs` at the latest. */
export function within(asked: Promise<unknown>, durationMs: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.timer(durationMs, resolve);
    const settled = (): void => {
      timer.cancel();
      resolve();
    };
    asked.then(settled, settled);
  });
}

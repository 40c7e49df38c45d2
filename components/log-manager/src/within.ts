import type { Clock } from "@coalmine/ports";

/** A request that is on its way when the component stops is given this long; the nucleus kills it 5 s after SIGTERM. */
const STOP_GRACE_MS = 3500;

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

/** The answer, unless the component stops and the answer takes too long: then it is asked again at the next start. */
export function untilStopped<Answer>(
  asked: Promise<Answer>,
  clock: Clock,
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stopped = (): void => {
      clock.timer(STOP_GRACE_MS, () => reject(asError(signal.reason)));
    };
    signal.addEventListener("abort", stopped, { once: true });
    asked.then(resolve, reject).finally(() => signal.removeEventListener("abort", stopped));
  });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("stopped", { cause: reason });
}

import { performance } from "node:perf_hooks";
import type { Clock } from "@coalmine/ports";
import { sleepOn } from "./driven-clock.ts";

/** The machine's own clock. Built by `main.ts` alone. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  timer(delayMs, fire) {
    const started = performance.now();
    let handle: NodeJS.Timeout;
    // setTimeout takes at most 2³¹−1 ms and may fire a fraction of a millisecond early: go on until it is due.
    const arm = (leftMs: number): void => {
      handle = setTimeout(
        () => {
          const restMs = delayMs - (performance.now() - started);
          if (restMs > 0) arm(restMs);
          else fire();
        },
        Math.min(Math.max(0, Math.ceil(leftMs)), 0x7fff_ffff),
      );
    };
    arm(delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
  sleep: (durationMs, signal) => sleepOn(systemClock, durationMs, signal),
};

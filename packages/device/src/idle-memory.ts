import type { Clock } from "@coalmine/ports";

/** What is asked of the process; Node's own where `--expose-gc` gave it a `gc`. */
export interface Heap {
  /** Of all threads, since the start. */
  cpuMs(): number;
  usedBytes(): number;
  collect(): void;
}

const LOOK_MS = 10_000;
/** Busy is more than this share of one processor: then V8 collects by itself, and a pause would be felt. */
const IDLE_SHARE_MAX = 0.02;
/** A collection is worth its pause when the heap grew by this factor over what was left by the last one. */
const GROWTH_MIN = 1.2;

/**
 * Collects the heap when the process has nothing to do and there is something to gain: what starting left behind, and
 * what a busy hour did. V8 itself waits for the next allocations, which an idle component does not make.
 */
export function collectWhenIdle(clock: Pick<Clock, "timer">, heap: Heap | undefined = nodeHeap()): void {
  if (heap === undefined) return;
  let cpuMs = heap.cpuMs();
  let leftBytes = 0;
  const look = (): void => {
    const spentMs = heap.cpuMs() - cpuMs;
    if (spentMs <= LOOK_MS * IDLE_SHARE_MAX && heap.usedBytes() > leftBytes * GROWTH_MIN) {
      heap.collect();
      leftBytes = heap.usedBytes();
    }
    cpuMs = heap.cpuMs();
    clock.timer(LOOK_MS, look);
  };
  clock.timer(LOOK_MS, look);
}

function nodeHeap(): Heap | undefined {
  const { gc } = globalThis;
  if (gc === undefined) return undefined;
  return {
    cpuMs: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    },
    usedBytes: () => process.memoryUsage().heapUsed,
    collect: () => {
      gc({ type: "major", execution: "sync", flavor: "last-resort" });
    },
  };
}

import { expect, test } from "vitest";
import { collectWhenIdle } from "./idle-memory.ts";

/** What is collected by a process that uses and allocates so much in the time of each look. */
function collected(looks: readonly { cpuMs: number; allocatedBytes: number }[]): number[] {
  let cpuMs = 0;
  let usedBytes = 0;
  let look = -1;
  let next = (): void => undefined;
  const at: number[] = [];
  collectWhenIdle(
    {
      timer: (_, fire) => {
        next = fire;
        return { cancel: () => undefined };
      },
    },
    {
      cpuMs: () => cpuMs,
      usedBytes: () => usedBytes,
      collect: () => {
        at.push(look);
        usedBytes = 1000;
      },
    },
  );
  for (const each of looks) {
    look++;
    cpuMs += each.cpuMs;
    usedBytes += each.allocatedBytes;
    next();
  }
  return at;
}

test("what starting left behind is collected once the process is idle, and not again for nothing", () => {
  const start = { cpuMs: 900, allocatedBytes: 5000 };
  const idle = { cpuMs: 5, allocatedBytes: 20 };
  expect(collected([start, idle, idle, idle, idle])).toEqual([1]);
});

test("a busy process is left alone; what it left is collected when it rests", () => {
  const busy = { cpuMs: 400, allocatedBytes: 3000 };
  const idle = { cpuMs: 5, allocatedBytes: 20 };
  expect(collected([busy, idle, busy, busy, busy, idle, idle])).toEqual([1, 5]);
});

test("slow growth is collected when there is enough of it", () => {
  const slow = { cpuMs: 50, allocatedBytes: 110 };
  expect(collected([slow, slow, slow, slow, slow])).toEqual([0, 2, 4]);
});

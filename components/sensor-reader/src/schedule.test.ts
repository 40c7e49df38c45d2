import { expect, test } from "vitest";
import { Schedule } from "./schedule.ts";

test("ticks do not creep however long each takes, and what passed is missed, once each", () => {
  const schedule = new Schedule(100, 1000);
  let nowMs = 1000;
  let missed = 0;
  const offsets = new Set<number>();
  for (let turn = 0; turn < 10_000; turn++) {
    nowMs += schedule.waitMs(nowMs);
    missed += schedule.take(nowMs);
    offsets.add((nowMs - 1000) % 100);
    // Some take longer than a period.
    nowMs += turn % 10 === 0 ? 250 : 30;
  }
  const ticks = Math.floor((nowMs - 1000) / 100) + 1;
  expect(10_000 + missed).toBeLessThanOrEqual(ticks);
  expect(10_000 + missed).toBeGreaterThanOrEqual(ticks - 3);
  expect(missed).toBe(1000);
  // Late by what the long ones took, never by more as time goes on.
  expect([...offsets].sort((a, b) => a - b)).toEqual([0, 50]);
});
